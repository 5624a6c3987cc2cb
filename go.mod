module github.com/seed-205ff063/retry

go 1.25.0
