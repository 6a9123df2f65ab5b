package admin

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/review"
	"github.com/entente-id/entente/trust"
)

// Review is a campaign, and what it came to so far.
type Review struct {
	ID        string              `json:"id"`
	Open      bool                `json:"open"`
	Kind      review.Kind         `json:"kind,omitempty"`      // of its items; left out: any
	Partner   trust.ParticipantID `json:"partner,omitzero"`    // left out: any
	Agreement string              `json:"agreement,omitempty"` // its name; left out: any
	Due       trust.Instant       `json:"due"`
	OpenedBy  string              `json:"opened_by"`
	Since     trust.Instant       `json:"since"`
	Closed    trust.Instant       `json:"closed,omitzero"`
	Items     int                 `json:"items"`
	Waiting   int                 `json:"waiting"`
	Kept      int                 `json:"kept"`
	Reduced   int                 `json:"reduced"`
	Removed   int                 `json:"removed"`
	Lapsed    int                 `json:"lapsed"`
	Ended     int                 `json:"ended"` // otherwise, before anybody answered
}

// ReviewItem is an item of a campaign with its use beside it. Agreed, Granted and
// Used count the roles of callers that are agreed, have a mapping, and were used by
// somebody; Granted and Used are known at the host alone.
type ReviewItem struct {
	Kind       review.Kind         `json:"kind"`
	Name       string              `json:"name"`
	Stage      review.Stage        `json:"stage"`
	Partner    trust.ParticipantID `json:"partner,omitzero"`
	Agreement  string              `json:"agreement,omitempty"`
	Gives      string              `json:"gives,omitempty"`    // a mapping's local role, a client's services
	Reviewer   string              `json:"reviewer,omitempty"` // the role that answers; left out where it does not hold any more
	Agreed     int                 `json:"agreed"`
	Granted    int                 `json:"granted"`
	Used       int                 `json:"used"`
	Uses       uint64              `json:"uses"`
	LastUsed   trust.Instant       `json:"last_used,omitzero"`
	AnsweredBy string              `json:"answered_by,omitempty"`
	Answered   trust.Instant       `json:"answered,omitzero"`
	Reason     string              `json:"reason,omitempty"`
	Ticket     string              `json:"ticket,omitempty"`
}

// ReviewPage is a page of a campaign's items. Decisions says how many of the
// decision log were counted: asked again, it goes on. Next is where the next page
// begins.
type ReviewPage struct {
	Review    Review        `json:"review"`
	Decisions node.Progress `json:"decisions"`
	Items     []ReviewItem  `json:"items"`
	Next      string        `json:"next,omitempty"`
}

// ReviewReport is where agreed, granted and used differ in the scope of a campaign.
type ReviewReport struct {
	Review    string        `json:"review"`
	Decisions node.Progress `json:"decisions"`
	Items     []node.Drift  `json:"items"`
}

// Reviews are the use cases about campaigns.
type Reviews interface {
	OpenCampaign(ctx context.Context, a node.Actor, r node.CampaignOrder) (review.Campaign, error)
	Campaigns(ctx context.Context, a node.Actor) ([]review.Campaign, error)
	Campaign(ctx context.Context, a node.Actor, id string, from, limit int) (node.CampaignPage, error)
	AnswerCampaign(ctx context.Context, a node.Actor, id string, w node.CampaignWord) (review.Campaign, error)
	Drift(ctx context.Context, a node.Actor, id string) ([]node.Drift, node.Progress, error)
}

var reviewRoutes = map[string]route{
	"GET /v1/reviews":               lists[Review](handler.listReviews, "Lists the campaigns of review, the oldest first.", func(c Review) string { return c.ID }),
	"POST /v1/reviews":              answers[node.CampaignOrder, Review](handler.openReview, "Opens a campaign: asks about all of a scope that is granted now."),
	"GET /v1/reviews/{id}":          gives[ReviewPage](handler.showReview, "Shows a campaign's items, each with its use.").with(asks[int]("from", "Where the page begins."), asks[int]("limit", "How many items at most.")),
	"POST /v1/reviews/{id}/answers": answers[node.CampaignWord, Review](handler.answerReview, "Says what becomes of an item."),
	"GET /v1/reviews/{id}/report":   gives[ReviewReport](handler.reportReview, "Tells where agreed, granted and used differ in a campaign's scope."),
}

func (h handler) renderReview(c review.Campaign) Review {
	out := Review{
		ID: c.ID, Open: c.Open(), Kind: c.Kind, Partner: c.Partner, Due: trust.Instant(c.Due), OpenedBy: c.By, Since: trust.Instant(c.Since),
		Closed: trust.Instant(c.Over), Items: c.Listed, Waiting: c.Left(), Kept: c.Kept, Reduced: c.Reduced, Removed: c.Removed, Lapsed: c.Lapsed, Ended: c.Ended,
	}
	if a, ok := h.node.State().Agreement.ByID(c.Agreement); ok {
		out.Agreement = a.Revision.Document.Name
	}
	return out
}

func (h handler) listReviews(ctx context.Context, r request) (any, error) {
	all, err := h.node.Campaigns(ctx, r.actor)
	if err != nil {
		return nil, err
	}
	var items []Review
	for _, c := range all {
		items = append(items, h.renderReview(c))
	}
	return listOf("Review", items), nil
}

func (h handler) openReview(ctx context.Context, r request) (any, error) {
	order, err := body[node.CampaignOrder](r)
	if err != nil {
		return nil, err
	}
	c, err := h.node.OpenCampaign(ctx, r.actor, order)
	return h.renderReview(c), err
}

func (h handler) answerReview(ctx context.Context, r request) (any, error) {
	word, err := body[node.CampaignWord](r)
	if err != nil {
		return nil, err
	}
	c, err := h.node.AnswerCampaign(ctx, r.actor, r.PathValue("id"), word)
	return h.renderReview(c), err
}

func (h handler) showReview(ctx context.Context, r request) (any, error) {
	from, limit := 1, 200
	for name, into := range map[string]*int{"from": &from, "limit": &limit} {
		if text := r.URL.Query().Get(name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil {
				return nil, trust.Errorf(trust.Invalid, "%s %q is no number", name, text)
			}
			*into = n
		}
	}
	page, err := h.node.Campaign(ctx, r.actor, r.PathValue("id"), from, limit)
	if err != nil {
		return nil, err
	}
	out := ReviewPage{Review: h.renderReview(page.Campaign), Decisions: page.Counted, Items: []ReviewItem{}}
	for _, i := range page.Items {
		out.Items = append(out.Items, renderReviewed(i))
	}
	if page.Next != 0 {
		out.Next = strconv.Itoa(page.Next)
	}
	return out, nil
}

func (h handler) reportReview(ctx context.Context, r request) (any, error) {
	items, counted, err := h.node.Drift(ctx, r.actor, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return ReviewReport{Review: r.PathValue("id"), Decisions: counted, Items: append([]node.Drift{}, items...)}, nil
}

func renderReviewed(i node.Reviewed) ReviewItem {
	return ReviewItem{
		Kind: i.Kind, Name: i.Title, Stage: i.Stage, Partner: i.Partner, Agreement: i.Agreement, Gives: i.Gives, Reviewer: i.Role,
		Agreed: i.Agreed, Granted: i.Granted, Used: i.Used, Uses: i.Uses, LastUsed: trust.Instant(i.Last),
		AnsweredBy: i.By, Answered: trust.Instant(i.On), Reason: i.Reason, Ticket: i.Ticket,
	}
}

// Reviews lists the campaigns in the order in which they were opened.
func (c *Client) Reviews(ctx context.Context) (List[Review], error) {
	return call[List[Review]](ctx, c, http.MethodGet, "/v1/reviews", nil)
}

// OpenReview asks for an answer to everything of a scope that is granted now.
func (c *Client) OpenReview(ctx context.Context, r node.CampaignOrder) (Review, error) {
	return call[Review](ctx, c, http.MethodPost, "/v1/reviews", r)
}

// Review gives a page of a campaign's items; from is empty, or the Next of the page
// before.
func (c *Client) Review(ctx context.Context, id, from string) (ReviewPage, error) {
	return call[ReviewPage](ctx, c, http.MethodGet, "/v1/reviews/"+url.PathEscape(id)+"?"+url.Values{"from": {from}}.Encode(), nil)
}

// AnswerReview says what becomes of an item of a campaign.
func (c *Client) AnswerReview(ctx context.Context, id string, w node.CampaignWord) (Review, error) {
	return call[Review](ctx, c, http.MethodPost, "/v1/reviews/"+url.PathEscape(id)+"/answers", w)
}

// ReviewReport tells where agreed, granted and used differ in a campaign's scope.
func (c *Client) ReviewReport(ctx context.Context, id string) (ReviewReport, error) {
	return call[ReviewReport](ctx, c, http.MethodGet, "/v1/reviews/"+url.PathEscape(id)+"/report", nil)
}
