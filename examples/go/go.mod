module example.com/gatewright/examples/shop

go 1.24.0

require example.com/gatewright v0.0.0

require (
	github.com/go-jose/go-jose/v4 v4.1.9 // indirect
	github.com/hashicorp/golang-lru/v2 v2.0.7 // indirect
)

replace example.com/gatewright => ../../clients/go
