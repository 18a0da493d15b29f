module example.com/gatewright

go 1.24.0

require github.com/go-jose/go-jose/v4 v4.1.9

require github.com/hashicorp/golang-lru/v2 v2.0.7
