// Package gatewright guards net/http handlers by the policies of a Gatewright.
//
// A Guard verifies tokens by the published keys, evaluates access in batches, caches each decision
// for a second, and fails closed. Its service account needs the action
// account:apiovh:iam/authorization/evaluate on its own account.
package gatewright

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	decisionLifetime  = time.Second     // of a cached decision
	timeout           = 2 * time.Second // of a request to Gatewright; after it, access is denied
	keysLifetime      = 5 * time.Minute // of the published keys
	keysRetryInterval = 2 * time.Second // at least, between two requests for an unknown key
	batchSize         = 500             // limit of evaluations in one request
	cacheCapacity     = 100_000         // beyond, the least recently used entry is evicted
)

var algorithms = []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.RS256}

// AccessError is the reason why a request is denied.
type AccessError struct {
	Status         int
	Class, Message string
	Missing        []string // actions
}

func (e *AccessError) Error() string { return e.Message }

var (
	unauthenticated = &AccessError{401, "Client::Unauthorized", "This credential is not valid", nil}
	unavailable     = &AccessError{503, "Server::ServiceUnavailable",
		"The authorization service cannot be reached: try again", nil}
)

// Permission is an action, and the type and the name of the resource.
type Permission struct{ Action, Type, Name string }

// Identity is the owner of a token.
type Identity struct{ URN, TokenID string }

// Settings configure a guard.
type Settings struct {
	URL      string // of a Gatewright, the issuer of its tokens
	ClientID string // of the guard's own service account
	Secret   string
	Account  string // owns what no registrar has registered
}

// Guard verifies tokens and checks permissions.
type Guard struct {
	settings   Settings
	http       *http.Client
	queue      chan evaluation
	token      cached[string] // the guard's own; belongs to the goroutine of the queue
	identities *lru.Cache[string, cached[Identity]]
	decisions  *lru.Cache[decisionKey, cached[bool]]
	mutex      sync.Mutex // protects what follows
	keys       jose.JSONWebKeySet
	keysAt     time.Time
}

type cached[T any] struct {
	value T
	until time.Time
}

type decisionKey struct {
	token      string
	permission Permission
	ip         string
}

type evaluation struct {
	key    decisionKey
	answer chan<- bool // closed where Gatewright cannot be reached
}

// New creates a guard. Its goroutine never ends, so create one and keep it.
func New(settings Settings) *Guard {
	settings.URL = strings.TrimRight(settings.URL, "/")
	guard := &Guard{settings: settings, http: &http.Client{Timeout: timeout}}
	guard.queue = make(chan evaluation, batchSize)
	guard.identities, _ = lru.New[string, cached[Identity]](cacheCapacity)
	guard.decisions, _ = lru.New[decisionKey, cached[bool]](cacheCapacity)
	go guard.evaluateQueue()
	return guard
}

// Check verifies a token, and checks that its owner has all required permissions from that address.
// If none are required, everybody is denied.
func (g *Guard) Check(token string, required []Permission, ip string) (Identity, *AccessError) {
	identity, err := g.authenticate(token)
	if err != nil {
		return Identity{}, err
	}
	answers := make([]<-chan bool, len(required))
	for i, permission := range required {
		answers[i] = g.isAllowed(decisionKey{token, permission, ip})
	}
	var missing []string
	for i, answer := range answers {
		allowed, answered := <-answer
		if !answered {
			return Identity{}, unavailable
		}
		if !allowed {
			missing = append(missing, required[i].Action)
		}
	}
	if missing != nil || len(required) == 0 {
		message := "This call needs rights that you do not have"
		return Identity{}, &AccessError{403, "Client::Forbidden", message, missing}
	}
	return identity, nil
}

// authenticate verifies the signature and the claims of a token.
func (g *Guard) authenticate(token string) (Identity, *AccessError) {
	if one, ok := g.identities.Get(token); ok && time.Now().Before(one.until) {
		return one.value, nil
	}
	parsed, err := jwt.ParseSigned(token, algorithms)
	if err != nil || len(parsed.Headers) != 1 || parsed.Headers[0].ExtraHeaders["typ"] != "at+jwt" {
		return Identity{}, unauthenticated
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	id, age := parsed.Headers[0].KeyID, time.Since(g.keysAt)
	if age > keysLifetime || (len(g.keys.Key(id)) == 0 && age > keysRetryInterval) {
		var keys jose.JSONWebKeySet
		if err := g.call(http.MethodGet, "/auth/oauth2/jwks", "", nil, &keys); err != nil {
			return Identity{}, err
		}
		g.keys, g.keysAt = keys, time.Now()
	}
	var claims jwt.Claims
	found, issuer := g.keys.Key(id), g.settings.URL
	expected := jwt.Expected{Issuer: issuer, AnyAudience: jwt.Audience{issuer}, Time: time.Now()}
	if len(found) != 1 || found[0].Algorithm != parsed.Headers[0].Algorithm ||
		parsed.Claims(found[0], &claims) != nil || claims.Expiry == nil ||
		claims.ValidateWithLeeway(expected, 0) != nil {
		return Identity{}, unauthenticated
	}
	// Cached no longer than its key.
	until := g.keysAt.Add(keysLifetime)
	if claims.Expiry.Time().Before(until) {
		until = claims.Expiry.Time()
	}
	g.identities.Add(token, cached[Identity]{Identity{claims.Subject, claims.ID}, until})
	return Identity{claims.Subject, claims.ID}, nil
}

// isAllowed decides whether a permission is granted.
func (g *Guard) isAllowed(key decisionKey) <-chan bool {
	answer := make(chan bool, 1)
	if one, ok := g.decisions.Get(key); ok && time.Now().Before(one.until) {
		answer <- one.value
	} else {
		g.queue <- evaluation{key, answer}
	}
	return answer
}

// evaluateQueue evaluates the queued decisions in batches; those that arrive meanwhile go into the
// next batch.
func (g *Guard) evaluateQueue() {
	for first := range g.queue {
		batch := []evaluation{first}
		for len(batch) < batchSize && len(g.queue) > 0 {
			batch = append(batch, <-g.queue)
		}
		// The lifetime begins with the request, not with the response.
		until := time.Now().Add(decisionLifetime)
		decisions, err := g.evaluate(batch)
		if err != nil || len(decisions) != len(batch) {
			g.token = cached[string]{} // it may have been revoked
			for _, one := range batch {
				close(one.answer)
			}
			continue
		}
		for i, one := range batch {
			g.decisions.Add(one.key, cached[bool]{decisions[i].Decision, until})
			one.answer <- decisions[i].Decision
		}
	}
}

type object = map[string]any

type decision struct{ Decision bool }

func (g *Guard) evaluate(batch []evaluation) ([]decision, *AccessError) {
	if time.Now().After(g.token.until) {
		form := url.Values{"grant_type": {"client_credentials"}, "scope": {"all"},
			"client_id": {g.settings.ClientID}, "client_secret": {g.settings.Secret}}
		var token struct {
			AccessToken string `json:"access_token"`
			ExpiresIn   int    `json:"expires_in"`
		}
		if err := g.call(http.MethodPost, "/auth/oauth2/token", "", form, &token); err != nil {
			return nil, err
		}
		lifetime := time.Duration(token.ExpiresIn-60) * time.Second
		g.token = cached[string]{token.AccessToken, time.Now().Add(lifetime)}
	}
	evaluations := make([]object, len(batch))
	for i, one := range batch {
		permission, owner, context := one.key.permission, object{"account": g.settings.Account}, object{}
		if one.key.ip != "" {
			context["ip"] = one.key.ip
		}
		evaluations[i] = object{
			"subject":  object{"type": "token", "id": one.key.token},
			"action":   object{"name": permission.Action},
			"resource": object{"type": permission.Type, "id": permission.Name, "properties": owner},
			"context":  context,
		}
	}
	var response struct{ Evaluations []decision }
	body := object{"evaluations": evaluations}
	err := g.call(http.MethodPost, "/access/v1/evaluations", g.token.value, body, &response)
	return response.Evaluations, err
}

// call sends a form or JSON, and decodes a JSON response.
func (g *Guard) call(method, path, token string, body, into any) *AccessError {
	form, isForm := body.(url.Values)
	text, contentType := []byte(form.Encode()), "application/x-www-form-urlencoded"
	if !isForm {
		text, _ = json.Marshal(body)
		contentType = "application/json"
	}
	request, err := http.NewRequest(method, g.settings.URL+path, bytes.NewReader(text))
	if err != nil {
		return unavailable
	}
	request.Header.Set("Content-Type", contentType)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := g.http.Do(request)
	if err != nil {
		return unavailable
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || json.NewDecoder(response.Body).Decode(into) != nil {
		return unavailable
	}
	return nil
}

type callerKey struct{}

// IdentityOf returns the caller of a request that a guard has allowed.
func IdentityOf(r *http.Request) Identity {
	identity, _ := r.Context().Value(callerKey{}).(Identity)
	return identity
}

// Handler calls the next handler if all permissions that a request requires are granted.
func (g *Guard) Handler(required func(*http.Request) []Permission, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ip, _, _ := net.SplitHostPort(r.RemoteAddr)
		values := r.Header.Values("Authorization")
		identity, err := Identity{}, unauthenticated
		if len(values) == 1 && len(values[0]) > 7 && strings.EqualFold(values[0][:7], "bearer ") {
			identity, err = g.Check(strings.TrimSpace(values[0][7:]), required(r), ip)
		}
		if err == nil {
			next(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, identity)))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("WWW-Authenticate", "Bearer")
		w.WriteHeader(err.Status)
		missing := object{"unauthorizedActionsByIAM": strings.Join(err.Missing, ",")}
		body := object{"class": err.Class, "message": err.Message, "details": missing}
		_ = json.NewEncoder(w).Encode(body)
	})
}
