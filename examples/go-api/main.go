// An API in Go that verifies access tokens offline, with go-oidc.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
)

type token struct {
	Subject  string `json:"sub"`
	ClientID string `json:"client_id"`
	Scope    string `json:"scope"`
}

type api struct {
	verifier *oidc.IDTokenVerifier
}

var errNoAccessToken = errors.New("not an access token")

// verify returns the claims of an access token for this API. The verifier checks signature, iss, aud
// and exp; it was made for ID tokens, so typ and client_id are checked here.
func (a *api) verify(ctx context.Context, raw string) (*token, error) {
	if typ := strings.ToLower(headerOf(raw).Typ); typ != "at+jwt" && typ != "application/at+jwt" {
		return nil, errNoAccessToken
	}
	verified, err := a.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	var claims token
	if err := verified.Claims(&claims); err != nil {
		return nil, err
	}
	if claims.Subject == "" || claims.ClientID == "" {
		return nil, errNoAccessToken
	}
	return &claims, nil
}

// requires lets a request pass that brings an access token for this API with this scope.
func (a *api) requires(scope string, next func(http.ResponseWriter, *http.Request, *token)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		scheme, raw, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		raw = strings.TrimLeft(raw, " ")
		if !strings.EqualFold(scheme, "Bearer") || raw == "" {
			refuse(w, http.StatusUnauthorized, "Bearer")
			return
		}
		outcome := &fetch{}
		claims, err := a.verify(context.WithValue(r.Context(), fetchOf{}, outcome), raw)
		switch {
		case outcome.failed != nil:
			// That the keys cannot be fetched says nothing about the token.
			log.Print(outcome.failed)
			w.WriteHeader(http.StatusServiceUnavailable)
		case err != nil:
			refuse(w, http.StatusUnauthorized, `Bearer error="invalid_token"`)
		case !slices.Contains(strings.Split(claims.Scope, " "), scope):
			refuse(w, http.StatusForbidden, `Bearer error="insufficient_scope", scope="`+scope+`"`)
		default:
			next(w, r, claims)
		}
	}
}

func refuse(w http.ResponseWriter, status int, challenge string) {
	w.Header().Set("WWW-Authenticate", challenge)
	w.WriteHeader(status)
}

func orders(w http.ResponseWriter, _ *http.Request, claims *token) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{
		"orders": []any{map[string]any{"id": 1, "item": "tea"}},
		"for":    claims.Subject,
	})
}

func main() {
	issuer := setting("ISSUER", "http://localhost:8080")
	verifier := oidc.NewVerifier(issuer, newKeySet(issuer+"/jwks"), &oidc.Config{
		ClientID:             setting("AUDIENCE", "https://orders.example.com"), // what aud must contain
		SupportedSigningAlgs: []string{oidc.RS256},
	})
	a := &api{verifier}
	http.HandleFunc("GET /orders", a.requires("orders:read", orders))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+setting("PORT", "9005"), nil))
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
