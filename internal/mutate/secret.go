package main

const secretGo = "evidence/secret.go"

// secretMutants are the checks of shared secrets under exceptions.
var secretMutants = noticedBy("^TestSecrets",
	both(lost(secretGo, "a secret has its exception", "x, ok := known.Exempt(secret)\n\tif «!ok» ||", "false"),
		lost(secretGo, "", "|| «x.Kind != p.Kind» ||", "false")),
	lost(secretGo, "a secret is of the exception's sort", "|| «x.Kind != p.Kind» ||", "false"),
	lost(secretGo, "a password is the account's", "|| «p.Kind == Basic && account != x.Account» {", "false"),
	lost(secretGo, "an ended exception lets nobody in", "if «x.Ended» ||", "false"),
	lost(secretGo, "an expired exception lets nobody in", "|| «now >= x.Expires» ||", "false"),
	lost(secretGo, "a secret's base64 has no line end", "if err != nil || «strings.ContainsAny(string(p.Token), \"\\r\\n\")» {", "false"),
	lost(linkGo, "an exception lives as long as the tier allows", "if «h.ev.Exception != \"\" && h.ev.ExpiresAt-h.ev.IssuedAt > int64(h.tier.MaxException)» {", "false"),
)
