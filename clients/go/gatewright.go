// Package gatewright guards net/http handlers by the policies of a Gatewright.
//
// A Guard checks tokens by the published keys, asks for decisions in batches, remembers each for a
// second, and lets nothing pass that it cannot ask about. Its service account needs the action
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
	fresh          = time.Second     // a decision is remembered for so long
	timeout        = 2 * time.Second // who cannot be asked within this time has not allowed it
	keysFresh      = 5 * time.Minute // keys are fetched anew after so long
	keysPause      = 2 * time.Second // and for an unknown one not more often than so
	mostAsked      = 500             // so many questions go into one request
	mostRemembered = 100_000         // beyond, what was not used for longest is forgotten
)

var algorithms = []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.RS256}

// Refused says why a request does not pass.
type Refused struct {
	Status         int
	Class, Message string
	Missing        []string // actions
}

func (r *Refused) Error() string { return r.Message }

var (
	unauthenticated = &Refused{401, "Client::Unauthorized", "This credential is not valid", nil}
	unavailable     = &Refused{503, "Server::ServiceUnavailable", "Nobody can say now: try again", nil}
)

// Need is an action, and what it is done on: the type and the name of the resource.
type Need struct{ Action, Type, Name string }

// Identity is who a token belongs to.
type Identity struct{ URN, TokenID string }

// Settings say whom to ask, and in whose name.
type Settings struct {
	URL      string // of a Gatewright, the issuer of its tokens
	ClientID string // of the service account that asks
	Secret   string
	Account  string // owns what no registrar has registered
}

// Guard checks tokens and rights.
type Guard struct {
	settings   Settings
	http       *http.Client
	questions  chan question
	own        known[string] // the token that it asks with; of the goroutine that asks
	identities *lru.Cache[string, known[Identity]]
	decisions  *lru.Cache[asked, known[bool]]
	mutex      sync.Mutex // of what follows
	keys       jose.JSONWebKeySet
	keysAt     time.Time
}

type known[T any] struct {
	value T
	until time.Time
}

type asked struct {
	token string
	need  Need
	ip    string
}

type question struct {
	asked  asked
	answer chan<- bool // closed where nobody could be asked
}

// New makes a guard. It asks in a goroutine that never ends, so make one and keep it.
func New(settings Settings) *Guard {
	settings.URL = strings.TrimRight(settings.URL, "/")
	guard := &Guard{settings: settings, http: &http.Client{Timeout: timeout}}
	guard.questions = make(chan question, mostAsked)
	guard.identities, _ = lru.New[string, known[Identity]](mostRemembered)
	guard.decisions, _ = lru.New[asked, known[bool]](mostRemembered)
	go guard.ask()
	return guard
}

// Check says who a token belongs to, if they may do all that is needed from that address. Where
// nothing is needed, nobody may.
func (g *Guard) Check(token string, needs []Need, ip string) (Identity, *Refused) {
	identity, err := g.identify(token)
	if err != nil {
		return Identity{}, err
	}
	answers := make([]<-chan bool, len(needs))
	for i, need := range needs {
		answers[i] = g.may(asked{token, need, ip})
	}
	var missing []string
	for i, answer := range answers {
		allowed, answered := <-answer
		if !answered {
			return Identity{}, unavailable
		}
		if !allowed {
			missing = append(missing, needs[i].Action)
		}
	}
	if missing != nil || len(needs) == 0 {
		message := "This call needs rights that you do not have"
		return Identity{}, &Refused{403, "Client::Forbidden", message, missing}
	}
	return identity, nil
}

// identify says who a token belongs to, by its signature.
func (g *Guard) identify(token string) (Identity, *Refused) {
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
	if age > keysFresh || (len(g.keys.Key(id)) == 0 && age > keysPause) {
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
	// Remembered for no longer than its key is known to be good.
	until := g.keysAt.Add(keysFresh)
	if claims.Expiry.Time().Before(until) {
		until = claims.Expiry.Time()
	}
	g.identities.Add(token, known[Identity]{Identity{claims.Subject, claims.ID}, until})
	return Identity{claims.Subject, claims.ID}, nil
}

func (g *Guard) may(what asked) <-chan bool {
	answer := make(chan bool, 1)
	if one, ok := g.decisions.Get(what); ok && time.Now().Before(one.until) {
		answer <- one.value
	} else {
		g.questions <- question{what, answer}
	}
	return answer
}

// ask asks what waits, and what has come meanwhile with the next request.
func (g *Guard) ask() {
	for first := range g.questions {
		batch := []question{first}
		for len(batch) < mostAsked && len(g.questions) > 0 {
			batch = append(batch, <-g.questions)
		}
		// A decision is as fresh as when it was asked for, not as when the answer came.
		until := time.Now().Add(fresh)
		decisions, err := g.evaluate(batch)
		if err != nil || len(decisions) != len(batch) {
			g.own = known[string]{} // perhaps it was taken back
			for _, one := range batch {
				close(one.answer)
			}
			continue
		}
		for i, one := range batch {
			g.decisions.Add(one.asked, known[bool]{decisions[i].Decision, until})
			one.answer <- decisions[i].Decision
		}
	}
}

type object = map[string]any

type decision struct{ Decision bool }

func (g *Guard) evaluate(batch []question) ([]decision, *Refused) {
	if time.Now().After(g.own.until) {
		form := url.Values{"grant_type": {"client_credentials"}, "scope": {"all"},
			"client_id": {g.settings.ClientID}, "client_secret": {g.settings.Secret}}
		var token struct {
			AccessToken string `json:"access_token"`
			ExpiresIn   int    `json:"expires_in"`
		}
		if err := g.call(http.MethodPost, "/auth/oauth2/token", "", form, &token); err != nil {
			return nil, err
		}
		life := time.Duration(token.ExpiresIn-60) * time.Second
		g.own = known[string]{token.AccessToken, time.Now().Add(life)}
	}
	questions := make([]object, len(batch))
	for i, one := range batch {
		asks, owner, circumstances := one.asked, object{"account": g.settings.Account}, object{}
		if asks.ip != "" {
			circumstances["ip"] = asks.ip
		}
		questions[i] = object{
			"subject":  object{"type": "token", "id": asks.token},
			"action":   object{"name": asks.need.Action},
			"resource": object{"type": asks.need.Type, "id": asks.need.Name, "properties": owner},
			"context":  circumstances,
		}
	}
	var said struct{ Evaluations []decision }
	body := object{"evaluations": questions}
	err := g.call(http.MethodPost, "/access/v1/evaluations", g.own.value, body, &said)
	return said.Evaluations, err
}

// call sends a form or JSON, and reads JSON.
func (g *Guard) call(method, path, token string, body, into any) *Refused {
	form, isForm := body.(url.Values)
	text, kind := []byte(form.Encode()), "application/x-www-form-urlencoded"
	if !isForm {
		text, _ = json.Marshal(body)
		kind = "application/json"
	}
	request, err := http.NewRequest(method, g.settings.URL+path, bytes.NewReader(text))
	if err != nil {
		return unavailable
	}
	request.Header.Set("Content-Type", kind)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := g.http.Do(request)
	if err != nil {
		return unavailable
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK || json.NewDecoder(answer.Body).Decode(into) != nil {
		return unavailable
	}
	return nil
}

type identityKey struct{}

// Who says who sent a request that a guard has let through.
func Who(r *http.Request) Identity {
	identity, _ := r.Context().Value(identityKey{}).(Identity)
	return identity
}

// Handler lets a request through to the next handler if all that it needs is allowed.
func (g *Guard) Handler(needs func(*http.Request) []Need, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ip, _, _ := net.SplitHostPort(r.RemoteAddr)
		said := r.Header.Values("Authorization")
		identity, err := Identity{}, unauthenticated
		if len(said) == 1 && len(said[0]) > 7 && strings.EqualFold(said[0][:7], "bearer ") {
			identity, err = g.Check(strings.TrimSpace(said[0][7:]), needs(r), ip)
		}
		if err == nil {
			next(w, r.WithContext(context.WithValue(r.Context(), identityKey{}, identity)))
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
