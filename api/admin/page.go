package admin

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"

	"github.com/entente-id/entente/trust"
)

// page gives the part of a list that the query asks for: at most limit items,
// behind the one that cursor names. A cursor is the key of an item, in base64url.
func page[Item any](list List[Item], query url.Values, key func(Item) string) (List[Item], error) {
	limit, err := limitOf(query)
	if err != nil {
		return list, err
	}
	if query.Has("cursor") {
		from, err := behind(list.Items, query.Get("cursor"), key)
		if err != nil {
			return list, err
		}
		list.Items = list.Items[from:]
	}
	if limit > 0 && len(list.Items) > limit {
		list.Items = list.Items[:limit]
		list.Next = base64.RawURLEncoding.EncodeToString([]byte(key(list.Items[limit-1])))
	}
	return list, nil
}

// limitOf reads how many items a page may have; 0 is all.
func limitOf(query url.Values) (int, error) {
	if !query.Has("limit") {
		return 0, nil
	}
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil || limit < 1 {
		return 0, trust.Errorf(trust.Invalid, "limit %q is not a number from 1 on", query.Get("limit"))
	}
	return limit, nil
}

// behind finds where a list goes on. Where the item is gone, a list in the order
// of its keys goes on with the next; another can only be begun again.
func behind[Item any](items []Item, cursor string, key func(Item) string) (int, error) {
	name, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return 0, trust.Errorf(trust.Invalid, "cursor %.80q is not the next of a page", cursor)
	}
	sorted := true
	for i, item := range items {
		if key(item) == string(name) {
			return i + 1, nil
		}
		sorted = sorted && (i == 0 || key(items[i-1]) < key(item))
	}
	if !sorted {
		return 0, trust.Errorf(trust.Conflict, "what the cursor names is gone from the list, which has no order to go on by; begin again")
	}
	from := slices.IndexFunc(items, func(item Item) bool { return key(item) > string(name) })
	if from < 0 {
		return len(items), nil
	}
	return from, nil
}
