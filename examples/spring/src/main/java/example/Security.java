package example;

import static java.util.stream.Collectors.joining;

import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.DefaultResourceRetriever;
import com.nimbusds.jose.util.Resource;
import jakarta.servlet.DispatcherType;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.time.Duration;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.access.AccessDeniedException;
import org.springframework.security.authorization.AuthorityAuthorizationDecision;
import org.springframework.security.authorization.AuthorizationDeniedException;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.http.SessionCreationPolicy;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.security.web.SecurityFilterChain;

@Configuration
class Security {
  @Bean
  SecurityFilterChain chain(HttpSecurity http) throws Exception {
    return http
        .authorizeHttpRequests(requests -> requests
            // Or the page that says 500 would be refused, and the caller would hear of a 401.
            .dispatcherTypeMatchers(DispatcherType.ERROR).permitAll()
            .requestMatchers("/orders").hasAuthority("SCOPE_orders:read")
            .anyRequest().denyAll())
        .sessionManagement(session -> session.sessionCreationPolicy(SessionCreationPolicy.STATELESS))
        .oauth2ResourceServer(api -> api
            .jwt(Customizer.withDefaults())
            .accessDeniedHandler((request, response, denied) -> {
              var challenge = "Bearer error=\"insufficient_scope\"" + lacking(denied);
              response.setHeader("WWW-Authenticate", challenge);
              response.setStatus(403);
            }))
        .build();
  }

  /** Tells the caller which scope to ask for, which Spring's own handler leaves out. */
  private static String lacking(AccessDeniedException denied) {
    if (denied instanceof AuthorizationDeniedException refused
        && refused.getAuthorizationResult() instanceof AuthorityAuthorizationDecision decision) {
      return decision.getAuthorities().stream()
          .map(authority -> authority.getAuthority().replaceFirst("^SCOPE_", ""))
          .collect(joining(" ", ", scope=\"", "\""));
    }
    return "";
  }

  @Bean
  JwtDecoder decoder(
      @Value("${ISSUER:http://localhost:8080}") String issuer,
      @Value("${AUDIENCE:https://orders.example.com}") String audience)
      throws MalformedURLException {
    // Kept for five minutes, as the server's Cache-Control says; fetched anew for a kid that is not in it.
    var url = URI.create(issuer + "/jwks").toURL();
    var keys = JWKSourceBuilder.<SecurityContext>create(url, new PatientRetriever())
        .cache(300_000, 15_000)
        .rateLimited(false)
        .build();
    var decoder = NimbusJwtDecoder.withJwkSource(keys).build();
    // RFC 9068: typ is at+jwt, for an ID token is no access token; iss, aud, exp, sub, iat, jti, client_id.
    decoder.setJwtValidator(
        JwtValidators.createAtJwtValidator().issuer(issuer).audience(audience).build());
    return decoder;
  }

  /** Asks at most every 30 seconds, and repeats the last answer: made-up kids must not become requests. */
  private static class PatientRetriever extends DefaultResourceRetriever {
    private Resource last;
    private long askAgain;

    PatientRetriever() {
      super(5_000, 5_000);
    }

    @Override
    public synchronized Resource retrieveResource(URL url) throws IOException {
      if (last == null || System.nanoTime() - askAgain > 0) {
        last = super.retrieveResource(url);
        askAgain = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      }
      return last;
    }
  }
}
