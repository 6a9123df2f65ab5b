package oauth

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/entente-id/entente/api/wire"
)

// form is the parameters of a request, each once and none empty.
type form map[string]string

// readForm reads the body of a request. A parameter in the query, one that
// stands twice and an empty one are refused (RFC 6749, section 3.2), and so is
// what is not strictly a form.
func readForm(w http.ResponseWriter, r *http.Request) (form, error) {
	data, err := wire.Body(w, r, formType, maxBody)
	if err != nil {
		return nil, err
	}
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		return nil, invalidRequest
	}
	if strings.Contains(string(data), ";") { // which some read as another &
		return nil, invalidRequest
	}
	f := form{}
	for pair := range strings.SplitSeq(string(data), "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, bad := url.QueryUnescape(name)
		value, worse := url.QueryUnescape(value)
		if _, twice := f[name]; bad != nil || worse != nil || name == "" || value == "" || twice {
			return nil, invalidRequest
		}
		f[name] = value
	}
	return f, nil
}
