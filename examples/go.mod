module github.com/seed-205ff063/retry/examples

go 1.25.0

require github.com/seed-205ff063/retry v0.0.0

replace github.com/seed-205ff063/retry => ../
