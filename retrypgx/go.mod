module github.com/seed-205ff063/retry/retrypgx

go 1.25.0

require (
	github.com/jackc/pgx/v5 v5.13.0
	github.com/seed-205ff063/retry v0.0.0
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/text v0.41.0 // indirect
)

replace github.com/seed-205ff063/retry => ../
