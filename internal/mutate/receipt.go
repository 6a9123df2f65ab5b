package main

const (
	statementGo = "receipt/statement.go"
	reconcileGo = "node/reconcile.go"
)

// receiptMutants are the checks of a partner's account.
var receiptMutants = noticedBy("^TestReconciliations$",
	lost(statementGo, "an account is the partner's own", "case «s.Iss != iss» ||", "false"),
	lost(statementGo, "an account is for this node", "|| «s.Aud != aud»:", "false"),
	lost(statementGo, "an account is of a side", "case «s.Side != Host && s.Side != Home»:", "false"),
	lost(statementGo, "an account is not old", "case «s.Iat < now-MaxSkew» ||", "false"),
	lost(statementGo, "an account is not of a time to come", "|| «s.Iat > now+MaxSkew»:", "false"),
	lost(statementGo, "the first series has one name", "case «s.Series == 1»:", "false"),
	lost(statementGo, "numbers count from 1", "case «s.First == 0» ||", "false"),
	lost(statementGo, "an account is of so many numbers", "|| «s.Last-s.First >= MaxStatement»:", "false"),
	lost(statementGo, "a leaf is whole", "case «len(s.Leaves)%tlog.HashSize != 0» ||", "false"),
	lost(statementGo, "an account has a leaf for each number at most", "|| «uint64(len(s.Leaves)/tlog.HashSize) > s.Last-s.First+1» ||", "false"),
	lost(reconcileGo, "an answer is no question", "if «theirs.Answers != \"\"» {", "false"),
)
