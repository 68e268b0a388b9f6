// A service that calls an API in its own name, with golang.org/x/oauth2: one token for many calls.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// service keeps a token until ten seconds before it expires; many goroutines may share it.
type service struct {
	config clientcredentials.Config
	api    string
	http   *http.Client
	mu     sync.Mutex
	source oauth2.TokenSource
}

// token returns the token that is kept, or a new one if the API refused that one.
func (s *service) token(refused *oauth2.Token) (*oauth2.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.source != nil {
		kept, err := s.source.Token()
		if err != nil || refused == nil || kept.AccessToken != refused.AccessToken {
			return kept, err
		}
	}
	s.source = s.config.TokenSource(context.WithValue(context.Background(), oauth2.HTTPClient, s.http))
	return s.source.Token()
}

// orders asks the API, with a new token if it refuses the one that we have: it may have been revoked.
func (s *service) orders(ctx context.Context) (orders []any, err error) {
	var token *oauth2.Token
	for range 2 {
		if token, err = s.token(token); err != nil {
			return nil, err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.api, nil)
		if err != nil {
			return nil, err
		}
		token.SetAuthHeader(request)
		response, err := s.http.Do(request)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		switch response.StatusCode {
		case http.StatusOK:
			var answer struct{ Orders []any }
			err = json.NewDecoder(response.Body).Decode(&answer)
			return answer.Orders, err
		case http.StatusUnauthorized:
			continue
		}
		return nil, fmt.Errorf("the API answers %s %s", response.Status, response.Header.Get("WWW-Authenticate"))
	}
	return nil, errors.New("the API refuses new tokens too")
}

func main() {
	s := &service{
		config: clientcredentials.Config{
			ClientID:     setting("CLIENT_ID", "service"),
			ClientSecret: os.Getenv("CLIENT_SECRET"),
			TokenURL:     setting("ISSUER", "http://localhost:8080") + "/token",
			Scopes:       []string{"orders:read"},
			AuthStyle:    oauth2.AuthStyleInHeader,
		},
		api:  setting("API", "http://localhost:9005/orders"),
		http: &http.Client{Timeout: 5 * time.Second},
	}
	calls, _ := strconv.Atoi(setting("CALLS", "3"))
	for call := range calls {
		if call > 0 {
			time.Sleep(time.Second)
		}
		orders, err := s.orders(context.Background())
		if refusal := (*oauth2.RetrieveError)(nil); errors.As(err, &refusal) {
			err = fmt.Errorf("Signet gives no token: %s: %s", refusal.ErrorCode, refusal.ErrorDescription)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(len(orders), "order")
	}
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
