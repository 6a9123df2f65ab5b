package clock

// Awake lets a test part the wall clock from the monotonic one, which a
// time.Time cannot.
var Awake = awake
