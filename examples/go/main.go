// Command shop serves a shop on net/http, guarded by policies.
//
// Usage: GATEWRIGHT_URL=… GATEWRIGHT_ID=… GATEWRIGHT_SECRET=… PORT=… go run .
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"

	gatewright "example.com/gatewright"
)

const account = "xx11111-ovh"

// onOrder requires an action on the order that the path names, as the mux has parsed it.
func onOrder(action string) func(*http.Request) []gatewright.Permission {
	return func(r *http.Request) []gatewright.Permission {
		return []gatewright.Permission{{Action: action, Type: "order", Name: r.PathValue("order")}}
	}
}

// onAccount requires an action on the account.
func onAccount(action string) func(*http.Request) []gatewright.Permission {
	return func(*http.Request) []gatewright.Permission {
		return []gatewright.Permission{{Action: action, Type: "account", Name: account}}
	}
}

// writeJSON writes a response.
func writeJSON(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		log.Print(err)
	}
}

func main() {
	guard := gatewright.New(gatewright.Settings{
		URL:      os.Getenv("GATEWRIGHT_URL"),
		ClientID: os.Getenv("GATEWRIGHT_ID"),
		Secret:   os.Getenv("GATEWRIGHT_SECRET"),
		Account:  account,
	})
	shop := http.NewServeMux()
	shop.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]bool{"open": true})
	})
	list := func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string][]string{"orders": {"7", "8"}})
	}
	read := func(w http.ResponseWriter, r *http.Request) {
		urn := gatewright.IdentityOf(r).URN
		writeJSON(w, map[string]string{"order": r.PathValue("order"), "identity": urn})
	}
	cancel := func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, map[string]string{"cancelled": r.PathValue("order")})
	}
	shop.Handle("GET /orders", guard.Handler(onAccount("account:shop:orders/get"), list))
	shop.Handle("GET /orders/{order}", guard.Handler(onOrder("order:shop:get"), read))
	shop.Handle("DELETE /orders/{order}", guard.Handler(onOrder("order:shop:delete"), cancel))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), shop))
}
