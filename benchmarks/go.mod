module github.com/seed-205ff063/retry/benchmarks

go 1.25.0

require github.com/seed-205ff063/retry v0.0.0

replace github.com/seed-205ff063/retry => ../
