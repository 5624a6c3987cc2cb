module github.com/seed-205ff063/retry/examples/github

go 1.25.0

require (
	github.com/google/go-github/v90 v90.0.0
	github.com/seed-205ff063/retry v0.0.0-00010101000000-000000000000
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/google/go-querystring v1.2.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)

replace github.com/seed-205ff063/retry => ../../
