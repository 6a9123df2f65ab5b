package local

// RecentSQLite is the rule that an older SQLite is refused by.
var RecentSQLite = recentSQLite
