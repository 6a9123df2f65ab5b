package main

const (
	approveGo  = "approval/command.go"
	approvalGo = "approval/approval.go"
	approvedGo = "decision/approved.go"
	accountGo  = "operator/fold.go"
)

// approvalMutants are the checks of who approves what, and for how long.
var approvalMutants = noticedBy("^TestApprovals$",
	lost(approveGo, "who approves holds the role", "case «!f.Holds(by, a.Role)»:\n\t\treturn refuse(", "false"),
	lost(approveGo, "who asks does not approve", "case «f.IsCaller(by, a.Subject)»:", "false"),
	lost(approveGo, "who approves is local", "case «!f.Local(by, a.Participant)»:", "false"),
	lost(approveGo, "two accounts are not two people", "case «slices.ContainsFunc(said, func(other string) bool { return f.Same(by, other) })»:", "false"),
	lost(approveGo, "an approval takes its people", "case «len(said)+1 >= a.People»:", "true"),
	other(approvalGo, "an approval is of one subject", "n.Agreement, «string(n.Subject[:])», n.Service", "string([]byte{})"),
	other(approvalGo, "an approval is of one resource", "string(n.ResourceType), «string(n.Resource[:])»)", "string([]byte{})"),
	lost(approvalGo, "an approval ends", "case «now < a.Ends»:", "a.Ends > 0"),
	lost(approvedGo, "an approval is put into no credential", "if «h.r.Order != nil» ||", "false"),
	lost(accountGo, "two accounts of one name are one person", "|| «one.Person == other.Person && one.Person != trust.SubjectKey{}» ||", "false"),
	lost(accountGo, "two accounts of one subject are one person", "\n\t\t«slices.ContainsFunc(one.Identities, func(i Identity) bool { return slices.Contains(other.Identities, i) })»\n", "false"),
)
