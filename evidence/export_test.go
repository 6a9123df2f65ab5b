package evidence

// SameURL lets a test see the comparison of htu.
var SameURL = sameURL
