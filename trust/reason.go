package trust

// Reason says why a decision fell as it did: the check that decided, a dot, and
// what it found. Reasons go to our own enforcement points and operators, never
// across the border. docs/reasons.md is generated from this table.
type Reason string

// Permit is the reason of every permit.
const Permit Reason = "permit"

// The first check, identify: who speaks, and for whom.
const (
	NoEvidence         Reason = "identify.no_evidence"
	SubjectMismatch    Reason = "identify.subject_mismatch"
	EvidenceKind       Reason = "identify.evidence_kind"
	EvidenceMalformed  Reason = "identify.malformed"
	UnknownIssuer      Reason = "identify.unknown_issuer"
	UnknownParticipant Reason = "identify.unknown_participant"
	AmbiguousIssuer    Reason = "identify.ambiguous"
	ForeignNamespace   Reason = "identify.namespace"
	NoOrigin           Reason = "identify.no_origin"
	ForeignOrigin      Reason = "identify.origin"
	StatementExpired   Reason = "identify.statement_expired"
	NotOurs            Reason = "identify.not_ours"
	ClockAhead         Reason = "identify.clock_ahead"
	ClockUnsure        Reason = "identify.clock_unsure"
	LedgerLost         Reason = "identify.ledger_lost"
	Recovering         Reason = "identify.recovering"
)

// The second check, authenticate: is the proof genuine and meant for here.
const (
	SharedSecret         Reason = "authenticate.shared_secret"
	ExceptionEnded       Reason = "authenticate.exception_ended"
	TokenType            Reason = "authenticate.type"
	TokenHeader          Reason = "authenticate.header"
	TokenAlgorithm       Reason = "authenticate.algorithm"
	AlgorithmEnded       Reason = "authenticate.algorithm_ended"
	UnknownKey           Reason = "authenticate.unknown_key"
	BadSignature         Reason = "authenticate.signature"
	ClaimMissing         Reason = "authenticate.claim"
	TokenExpired         Reason = "authenticate.expired"
	TokenNotYetValid     Reason = "authenticate.not_yet_valid"
	AudienceMultiple     Reason = "authenticate.audience_multiple"
	AudienceForeign      Reason = "authenticate.audience_foreign"
	AudienceOtherService Reason = "authenticate.audience_other_service"
	Replayed             Reason = "authenticate.replayed"
	BindingUnsupported   Reason = "authenticate.binding_unsupported"
	UntrustedDomain      Reason = "authenticate.trust_domain"
	CertificateUnfit     Reason = "authenticate.certificate"
	UnknownAuthority     Reason = "authenticate.authority"
	ProofMissing         Reason = "authenticate.proof_missing"
	ProofBroken          Reason = "authenticate.proof"
	ProofKey             Reason = "authenticate.proof_key"
	ProofToken           Reason = "authenticate.proof_token"
	ProofRequest         Reason = "authenticate.proof_request"
	ProofTime            Reason = "authenticate.proof_time"
	ProofReplayed        Reason = "authenticate.proof_replayed"
	ProofUnbound         Reason = "authenticate.proof_unbound"
	NonceStale           Reason = "authenticate.nonce"
	QuotaFull            Reason = "authenticate.quota"
	UnknownClient        Reason = "authenticate.client"
	ClientMethod         Reason = "authenticate.client_method"
	AssertionLifetime    Reason = "authenticate.assertion_lifetime"
	GrantClient          Reason = "authenticate.grant_client"
)

// The third check, classify: what kind of caller, how well assured.
const (
	Unclassified  Reason = "classify.unclassified"
	UnknownClass  Reason = "classify.unknown_class"
	LowAssurance  Reason = "classify.assurance"
	Lowered       Reason = "classify.lowered"
	TokenLifetime Reason = "classify.token_lifetime"
	AuthAge       Reason = "classify.auth_age"
)

// The fourth check, delegate: on whose behalf.
const (
	ChainUnsupported Reason = "delegate.unsupported"
	NoPrincipal      Reason = "delegate.no_principal"
	LinkMalformed    Reason = "delegate.malformed"
	LinkSignature    Reason = "delegate.signature"
	LinkPrincipal    Reason = "delegate.principal"
	LinkHop          Reason = "delegate.hop"
	LinkParent       Reason = "delegate.parent"
	LinkKey          Reason = "delegate.key"
	LinkAudience     Reason = "delegate.audience"
	LinkExpiry       Reason = "delegate.expiry"
	ChainDepth       Reason = "delegate.depth"
	LinkScope        Reason = "delegate.scope"
	LinkExpired      Reason = "delegate.expired"
	LinkNotYetValid  Reason = "delegate.not_yet_valid"
	ChainCycle       Reason = "delegate.cycle"
	NotTheActor      Reason = "delegate.actor"
	ActorProof       Reason = "delegate.actor_proof"
	ActorClass       Reason = "delegate.actor_class"
	HopParticipant   Reason = "delegate.participant"
	OutOfScope       Reason = "delegate.out_of_scope"
)

// The fifth check, link: is there an agreement in force that covers this.
const (
	NoFramework          Reason = "link.no_framework"
	FrameworkExpired     Reason = "link.framework_expired"
	UnknownResource      Reason = "link.unknown_resource"
	ParticipantUnknown   Reason = "link.participant_unknown"
	ParticipantSuspended Reason = "link.participant_suspended"
	ForeignClient        Reason = "link.client"
	NoAgreement          Reason = "link.no_agreement"
	AgreementNotActive   Reason = "link.agreement_not_active"
	AgreementSuspended   Reason = "link.agreement_suspended"
	AgreementEnded       Reason = "link.agreement_ended"
	ClassNotCovered      Reason = "link.class"
	IssuerNotCovered     Reason = "link.issuer"
	SubjectNotCovered    Reason = "link.subject"
	ResourceNotCovered   Reason = "link.resource"
	ActionNotCovered     Reason = "link.action"
	PurposeNotCovered    Reason = "link.purpose"
	LinkAssurance        Reason = "link.assurance"
	LinkAuthAge          Reason = "link.auth_age"
	WorkloadNotSeen      Reason = "link.workload"
	UnknownTier          Reason = "link.unknown_tier"
	NotAdopted           Reason = "link.not_adopted"
	SingleUseKind        Reason = "link.single_use"
	SenderConstraint     Reason = "link.sender_constraint"
	NonceMissing         Reason = "link.nonce"
	TierAttestation      Reason = "link.attestation"
	NotGranted           Reason = "link.not_granted"
	Reduced              Reason = "link.reduced"
	ClassSuspended       Reason = "link.class_suspended"
	ServiceSuspended     Reason = "link.service_suspended"
	ExceptionTooLong     Reason = "link.exception"
	ChainNotCovered      Reason = "link.delegation"
	ActorNotCovered      Reason = "link.actor"
	CanaryAstray         Reason = "link.canary"
)

// The sixth check, freshness: how old our view of the partner is.
const (
	NeverProven Reason = "freshness.never_proven"
	Stale       Reason = "freshness.stale"
	EdgeBroken  Reason = "freshness.edge_broken"
	HopStale    Reason = "freshness.hop"
	BundleStale Reason = "freshness.bundle"
	FeedSilent  Reason = "freshness.feed"
)

// The seventh check, revocation.
const (
	SubjectRevoked   Reason = "revocation.subject"
	EngagementEnded  Reason = "revocation.engagement"
	KeyRevoked       Reason = "revocation.key"
	IssuerRevoked    Reason = "revocation.issuer"
	HopRevoked       Reason = "revocation.hop"
	SessionOver      Reason = "revocation.session"
	ClaimsChanged    Reason = "revocation.claims"
	SubjectDisabled  Reason = "revocation.disabled"
	DeviceUnfit      Reason = "revocation.device"
	RiskTooHigh      Reason = "revocation.risk"
	CredentialEnded  Reason = "revocation.credential"
	SessionStopped   Reason = "revocation.session_stopped"
	ClientEnded      Reason = "revocation.client"
	SubjectSuspended Reason = "revocation.subject_suspended"
	IdentityIdle     Reason = "revocation.identity_idle"
	ClientSuspended  Reason = "revocation.client_suspended"
	PersonBarred     Reason = "revocation.person_barred"
	PersonUnnamed    Reason = "revocation.person_unnamed"
	MonitoringSpent  Reason = "revocation.monitoring"
)

// The eighth check, entitle: the partner's role in our own terms.
const (
	NoMapping        Reason = "entitle.no_mapping"
	RoleNotCovered   Reason = "entitle.role"
	ApprovalPending  Reason = "entitle.approval_pending"
	ApprovalDeclined Reason = "entitle.approval_declined"
	ApprovalDirect   Reason = "entitle.approval_direct"
	WorkloadConflict Reason = "entitle.workload"

	BreakGlassNotAgreed  Reason = "entitle.break_glass_not_agreed"
	BreakGlassDirect     Reason = "entitle.break_glass_direct"
	BreakGlassReason     Reason = "entitle.break_glass_reason"
	BreakGlassUnreviewed Reason = "entitle.break_glass_unreviewed"
	BreakGlassTooMany    Reason = "entitle.break_glass_too_many"
	BreakGlassEnded      Reason = "entitle.break_glass_ended"
	BreakGlassUsedUp     Reason = "entitle.break_glass_used_up"
	BreakGlassUnrecorded Reason = "entitle.break_glass_unrecorded"
	ActorEntitled        Reason = "entitle.actor"
)

// The ninth check, local policy.
const (
	NoPolicy     Reason = "policy.none"
	PolicyDenies Reason = "policy.no_permit"
	PolicyForbid Reason = "policy.forbid"
	PolicyError  Reason = "policy.error"
	PolicyActor  Reason = "policy.actor"

	BreakGlassAvailable Reason = "policy.break_glass_available"
)

// The last check, obligations.
const (
	TooMuchAccess Reason = "obligations.too_much"
	Unwatched     Reason = "obligations.unwatched"
)

// The shell's own: the answer could not be made durable, or the ground moved
// too often while it was made.
const (
	CannotRecord Reason = "record.unavailable"
	Unsettled    Reason = "record.unsettled"
)

// ReasonDoc is a reason's line in docs/reasons.md.
type ReasonDoc struct {
	Reason Reason
	Means  string // what was found
	Remedy string // what to do about it
}

// Reasons documents every reason, in the order of the checks.
func Reasons() []ReasonDoc {
	return []ReasonDoc{
		{Permit, "every check passed", "nothing"},

		{NoEvidence, "the request carries no proof of who calls", "have the enforcement point pass the caller's token in context.evidence"},
		{SubjectMismatch, "subject.id is neither \"0\" nor the subject of the evidence", "send subject.id \"0\"; the evidence says who calls"},
		{EvidenceKind, "the proof is of a kind this node does not know", "send an access token or an ID token with its type URN"},
		{EvidenceMalformed, "the token cannot be read strictly: size, parts, base64url, JSON, or no iss", "look at what changed the token on its way; if nothing did, its issuer must write it properly"},
		{UnknownIssuer, "no participant stated the token's issuer; issuers are compared byte by byte", "have the partner declare the issuer exactly as it writes iss"},
		{UnknownParticipant, "a national issuer's token names no participant that we know", "have the partner declare its value of the discriminator claim"},
		{AmbiguousIssuer, "two participants state the issuer for this token", "find out which statement is wrong; nothing of the issuer counts until then"},
		{ForeignNamespace, "the token speaks of a namespace that its issuer is not registered for", "look into it: an issuer asserted what is not its own, or the statement lacks a value"},
		{NoOrigin, "a broker's token names no origin, or not in the way its registration says", "have the broker pass on who signed the caller in; what was not brokered comes from the issuer itself"},
		{ForeignOrigin, "the origin that a broker restates speaks for nobody here, for another participant, or is a broker itself", "have the participant that the broker speaks for state the origin too, and the broker restate the sign-in itself"},
		{StatementExpired, "the participant's signed statement of its issuers has run out or never came", "bring the edge to the partner up again"},
		{NotOurs, "a grant for a partner is asked for somebody else's person", "have the caller's own organisation issue it; a node vouches for its own people alone"},
		{ClockAhead, "this node's time was more than 30 seconds ahead of its partners', so that nobody can be identified as of now", "put the machine's clock right, then let an operator accept it (`entente clock accept`)"},
		{ClockUnsure, "the machine's clock leapt ahead, and no partner has confirmed the time since", "wait for a partner's next word; it heals by itself, or an operator has to accept the time"},
		{LedgerLost, "a partner showed a message that this node signed and that its ledger does not have: entries are lost, and what they ended would count again", "stop the node and recover the ledger (`entente recover`)"},
		{Recovering, "the ledger goes on behind a loss, and not every partner has said yet what this node told it: what was ended since may still be missing", "wait for the partners' answers (`entente recovery`); whoever was ended meanwhile stays so"},

		{SharedSecret, "the caller shows a shared secret (an API key, a password), and no live exception lets it in", "move the integration to tokens bound to a key; until then an operator may grant an exception, which expires"},
		{ExceptionEnded, "the exception that let this shared secret in has expired or was ended", "move the integration to tokens bound to a key; an exception is not prolonged"},
		{TokenType, "the token's typ is that of another kind of token", "send an access token (at+jwt) as access token and an ID token as ID token"},
		{TokenHeader, "the token's header brings a key, or asks for more than a signature", "have the issuer send alg, kid and typ alone; the thumbprints x5t and x5t#S256 are ignored"},
		{TokenAlgorithm, "the header's algorithm is not the one of the registered key", "have the issuer use the algorithm its published key is for"},
		{AlgorithmEnded, "the key that signed the token is of a kind whose time is over in the registry of algorithms", "have the issuer sign with a stronger key; entente key algorithms lists what is accepted"},
		{UnknownKey, "the token names no key that its issuer publishes", "wait for the issuer's key set to be read again; if it was rotated, publish the new key first"},
		{BadSignature, "the signature does not hold under the registered key", "look into it: the token was changed or forged"},
		{ClaimMissing, "a required claim is missing, empty, of the wrong type or contradicts another", "have the issuer send every claim that its kind of token requires"},
		{TokenExpired, "the token has expired; at exp it has", "get a new token"},
		{TokenNotYetValid, "the token is from more than 30 seconds in our future", "compare the clocks of the issuer and this node"},
		{AudienceMultiple, "the token is for several audiences", "request a token for this service alone"},
		{AudienceForeign, "the token's audience is no service of ours", "request a token for the service's audience"},
		{AudienceOtherService, "the token is for another service of ours", "request a token for this service; look into it if one service forwarded another's token"},
		{Replayed, "the token was used before, and the agreement takes it once", "get a new token for each call; look into it if nobody repeated the call"},
		{BindingUnsupported, "the token is bound (cnf) to something that this node cannot check: neither a key by jkt nor a certificate by x5t#S256 alone", "have the issuer bind it by jkt or x5t#S256"},
		{UntrustedDomain, "the trust domain's bundle was not read yet, or is empty or unusable, so that no SVID of it counts", "have the partner publish a bundle in order; nothing, if it withdrew its keys"},
		{CertificateUnfit, "a certificate is not as one of an X509-SVID has to be", "have the partner issue X509-SVIDs by their standard"},
		{UnknownAuthority, "the certificates lead to no authority in their own trust domain's bundle", "wait for the bundle to be read again; look into it if no authority was rotated"},
		{ProofMissing, "the token is bound, and nothing shows that the caller holds what it is bound to", "have the enforcement point pass what it saw in context.proof; look into it if the caller showed nothing: the token may be stolen"},
		{ProofBroken, "the DPoP proof cannot be read strictly, lacks what it must have, or its signature does not hold", "have the client make its proofs by RFC 9449, section 4.2, with alg, jwk and typ alone in the header"},
		{ProofKey, "what was shown is another's key or certificate than the token is bound to", "look into it: the token may be stolen"},
		{ProofToken, "the DPoP proof is for another token (ath)", "have the client make a proof for the token that it sends"},
		{ProofRequest, "the DPoP proof is for another method or URL than the request has", "compare htm and htu with what the enforcement point states; look into it if a service forwarded the proof"},
		{ProofTime, "the DPoP proof is a minute old or older, or from more than 30 seconds in our future", "have the client make a proof for each request, and compare its clock with this node's"},
		{ProofReplayed, "the DPoP proof was used before", "have the client make a proof for each request; look into it if it does"},
		{ProofUnbound, "a DPoP proof came beside a token that is not bound to a key", "have the issuer bind the token (cnf jkt), or the client send it as a bearer's"},
		{NonceStale, "the nonce in the DPoP proof is none that this node gave the enforcement point lately", "have the client repeat the request with the nonce from the answer's context"},
		{UnknownClient, "the OAuth client is not registered, or has ended", "register it (`entente client add`)"},
		{ClientMethod, "the OAuth client proves itself in another way than it is registered with, or in two", "use the registered way, or register another (`entente client keys`)"},
		{AssertionLifetime, "the client's assertion is good for longer than five minutes from now", "have the client make one for each request"},
		{GrantClient, "the grant (ID-JAG) was issued to another client than the one that brings it", "have the client that it was issued to redeem it, under the same client_id at both nodes"},
		{QuotaFull, "the participant has as many unexpired single-use values as it may", "wait until some expire; look into it: that many within minutes is no ordinary use"},

		{Unclassified, "no class rule of the issuer matches the token", "have the partner add a class rule for such tokens"},
		{UnknownClass, "the framework has no such identity class", "amend the framework, or correct the partner's class rule"},
		{Lowered, "a signal lowered what the evidence counts for below what the class needs on a ladder", "have the home's transmitter say that the level rose again"},
		{LowAssurance, "the evidence is below what the class needs on a ladder", "have the caller sign in with stronger means"},
		{TokenLifetime, "the token lives longer than its class may", "have the issuer shorten the lifetime of its tokens"},
		{AuthAge, "the person signed in too long ago, or the token does not say when", "have the person sign in again; have the issuer send auth_time"},

		{ChainUnsupported, "the token says that somebody else acts (act) in a way that cannot be verified", "have its issuer name the actor in act; begin links at a principal's own token"},
		{NoPrincipal, "the class acts for a principal and the token names none", "get a token that names whom the agent acts for"},
		{LinkMalformed, "a link of the chain cannot be read strictly, is too long, or lacks a claim", "have its issuer write it as docs/delegation.md says"},
		{LinkSignature, "a link is not signed by a registered key of the issuer that answers for its delegator", "have that issuer sign it, with a key that it publishes"},
		{LinkPrincipal, "the first link is of another principal than the token beside it", "look into it: the principal was swapped; send the token that the chain began with"},
		{LinkHop, "a link is of another party than the link before it lets act", "look into it: a hop was removed, added or moved"},
		{LinkParent, "a link commits to something else than what stands before it", "look into it: chains were spliced; a new token needs a new first link"},
		{LinkKey, "a hop showed another key than the link before it names", "have the hop use the key it was let act with"},
		{LinkAudience, "a link or the actor's proof is for another audience than the principal's token", "delegate for the service that the principal's token is for"},
		{LinkExpiry, "a link expires later than what stands before it", "delegate for no longer than one may act oneself"},
		{ChainDepth, "the chain has more links than a link, the class or this node allows", "delegate less deep, or agree on more"},
		{LinkScope, "a link lets more be done than the link before it", "delegate no more than one may do oneself"},
		{LinkExpired, "a link has expired; at exp it has", "get a new link"},
		{LinkNotYetValid, "a link is from more than 30 seconds in our future", "compare the clocks of its issuer and this node"},
		{ChainCycle, "somebody stands in the chain twice", "delegate to somebody else"},
		{NotTheActor, "who calls is not whom the chain, may_act or act lets act", "have the party call that was let act"},
		{ActorProof, "who acts for the principal brought no proof of its own, or one that does not hold", "see the explanation; have the actor call with a proof of its own"},
		{ActorClass, "the actor is unclassified, or its proof is below what its class needs", "see the explanation; it is as for any caller of the class"},
		{HopParticipant, "the participant behind a hop of the chain is unknown or suspended, or its statement has run out", "delegate through participants that are in good standing here"},
		{OutOfScope, "the request is not within what the last link lets be done", "delegate what is needed, or ask for what was delegated"},

		{NoFramework, "no framework is in force here", "adopt a framework"},
		{FrameworkExpired, "the framework in force has expired", "have its signers publish the next version, and adopt it"},
		{UnknownResource, "no service behind the enforcement point owns such resources", "register the resource type with its service, or correct the request"},
		{ParticipantUnknown, "the participant was never confirmed here", "exchange invitations and compare fingerprints"},
		{ParticipantSuspended, "the participant is suspended", "resolve what led to it; then resume the participant"},
		{ForeignClient, "the client that asks for a credential is a partner's, and the caller another participant's", "let a client of the caller's participant, or one of ours, ask"},
		{NoAgreement, "no agreement lets us accept anything from the caller's organisation", "propose one; local callers are not Entente's business"},
		{AgreementNotActive, "the agreement is not in force yet", "countersign and activate it, or wait for its start"},
		{AgreementSuspended, "the agreement is suspended by one of its parties", "resolve what led to it"},
		{AgreementEnded, "the agreement has ended; at its end it has", "agree on a new one"},
		{ClassNotCovered, "the agreement accepts no callers of this class", "agree on it, or do not call with such an identity"},
		{IssuerNotCovered, "the agreement does not accept this issuer for the class", "use an issuer that the agreement names, or agree on it"},
		{SubjectNotCovered, "the agreement names the subjects it accepts, and this is none", "agree on the subject"},
		{ResourceNotCovered, "the agreement does not cover the resource or its service's audience", "agree on it"},
		{ActionNotCovered, "the agreement does not cover the action on the resource", "agree on it"},
		{PurposeNotCovered, "the agreement does not cover the purpose", "send the purpose that holds, or agree on it"},
		{LinkAssurance, "the evidence is below what the agreement needs on a ladder", "have the caller sign in with stronger means"},
		{LinkAuthAge, "the person signed in longer ago than the agreement takes, or the token does not say when", "have the person sign in again"},
		{WorkloadNotSeen, "the agreement takes only callers that the enforcement point sees running as and on what it names, and it did not state that", "register the service's enforcement point to state it (workload), and have it pass what it sees in context.workload"},
		{NotAdopted, "the other party to the agreement has not adopted the framework in force within the time that it gives, and is held to the basic tier", "have its people adopt the framework"},
		{UnknownTier, "the framework in force does not define the tier of the class or the agreement", "amend the framework or the agreement"},
		{SingleUseKind, "the agreement takes each proof once, which only an ID token allows", "call with an ID token"},
		{SenderConstraint, "the tier takes only tokens that are bound to what their sender shows", "have the issuer bind its tokens (cnf), or agree on a tier that does not require it"},
		{NonceMissing, "the tier takes only DPoP proofs that repeat a nonce of this node", "have the client repeat the request with the nonce from the answer's context"},
		{TierAttestation, "the caller's attestation is below what the tier needs", "attest the workload as the tier asks"},
		{Reduced, "the agreement was reduced: this class, service or action was taken out of it, by either party", "find out from whoever reduced it; two people there let it go on (`entente resume`), or a new agreement is signed"},
		{ClassSuspended, "callers of this class are suspended here", "wait, or have two operators let them go on (`entente resume class`)"},
		{ServiceSuspended, "the service is suspended here for partners", "wait, or have two operators let it go on (`entente resume service`)"},
		{NotGranted, "the caller's credential was issued for less", "exchange the caller's token for a credential that is good for this too"},
		{ExceptionTooLong, "the exception that lets the caller in lives longer than the tier of the link allows", "end it and grant one that the framework allows (max_exception), or move the integration to tokens bound to a key"},
		{ChainNotCovered, "the agreement lets nobody act for its callers through so many links", "agree on delegation_depth, or delegate less deep"},
		{ActorNotCovered, "the principal may, but the actor on its own may not: no agreement covers it for this request", "see the explanation; agree on what actors of that class may do"},
		{CanaryAstray, "the canary of a drill was presented elsewhere than at the canary resource, or by another than the partner that made it up", "find out who presents it: a canary is for its own node alone"},

		{NeverProven, "the partner has proven nothing since this node started", "wait for its first heartbeat; bring the edge up"},
		{Stale, "the partner's last proven word is older than the tier allows", "bring the edge to the partner up again; it heals by itself"},
		{BundleStale, "the trust domain's bundle could not be read again in time, or what was read is an older one", "have the partner's bundle endpoint looked at; it heals by itself"},
		{FeedSilent, "the issuer's transmitter of signals has not proved within the basic tier's bound that it is heard", "have the transmitter's stream looked at (`entente signal transmitter list`); it heals by itself"},
		{EdgeBroken, "what the partner sent contradicts what it proved before", "look into it with the partner; an operator resumes the edge"},
		{HopStale, "the view of a participant that the chain leads through is older than the tier allows, or broken", "as for the principal's participant; the explanation names it"},

		{SubjectRevoked, "the subject's engagement has ended, for good", "for somebody who came back: have the home open a new engagement and approve it"},
		{EngagementEnded, "the token was issued in an engagement that has ended", "get a token that was issued in the new engagement"},
		{KeyRevoked, "the key that signed the token is revoked", "have the issuer sign with a new key"},
		{IssuerRevoked, "the issuer speaks for the participant no longer", "use another issuer of the participant"},
		{SessionOver, "the session that the token belongs to is over, or what its bearer signed in with counts no longer", "have the person sign in again"},
		{ClaimsChanged, "the token's claims have changed since it was issued", "get a new token"},
		{SubjectDisabled, "the account at home is disabled", "have the home enable it; its transmitter says so"},
		{DeviceUnfit, "the device is not compliant at home", "have the device brought in order; the transmitter says so"},
		{RiskTooHigh, "the home's transmitter calls the risk high, and that denies here", "wait until it says otherwise"},
		{HopRevoked, "a hop of the chain has ended: its subject, the key of its link or proof, or its issuer", "delegate anew, around whom it ended for; the explanation names the hop"},
		{CredentialEnded, "the credential was given back, or revoked, before its time; or it was issued before the ledger was recovered", "exchange the caller's token again"},
		{SessionStopped, "an operator here ended this one session", "ask again, if the caller still may; `entente ledger list` has who ended it"},
		{SubjectSuspended, "the subject is suspended: banned at this node alone, or by its own home", "wait for its end, or have two operators of whoever suspended it let it go on (`entente resume subject`)"},
		{IdentityIdle, "the subject is one of this organisation's own, and its identity is registered but not activated", "give it an owner and a purpose, and activate it (`entente identity activate`)"},
		{ClientSuspended, "the client is suspended here", "wait for its end, or have two operators let it go on (`entente resume client`)"},
		{PersonBarred, "the remedy of a dispute stops this person, who comes under another identifier", "wait until the remedy lets the person go on; look into who issued the other identifier"},
		{PersonUnnamed, "the remedy of a dispute names a person by a claim that this person's evidence lacks", "have the issuer send the claim that the remedy names for everybody"},
		{MonitoringSpent, "the subject is monitored after a dispute, and had as many permits within the hour as that lets; it is suspended again", "look into it, then let two operators have it go on (`entente resume subject`)"},
		{ClientEnded, "the client that the credential was issued to has ended", "if the client is still wanted, register it under a new identifier; then exchange the caller's token again"},

		{NoMapping, "no granted mapping gives the caller a role here", "propose a mapping and have a local approver grant it"},
		{RoleNotCovered, "the caller's role at home is none that the agreement accepts for this request", "agree on the role for this line"},
		{ApprovalPending, "the action needs a live approval by local people", "ask the local approvers"},
		{ApprovalDeclined, "a local approver said no to the action", "ask the local approvers; the node does not ask them again before the date of the refusal"},
		{ApprovalDirect, "the action needs an approval by local people, and is asked for through somebody who acts for another, or to be put into a credential", "have the person call in their own name, with their own token"},
		{BreakGlassNotAgreed, "the request is for emergency access (BTG), and the agreement bounds none", "agree on break_glass, or ask for another purpose"},
		{BreakGlassDirect, "emergency access is asked for by what is no person, through somebody who acts for another, or to be put into a credential", "have the person call in their own name, with their own token"},
		{BreakGlassReason, "emergency access is asked for without a reason", "have the enforcement point pass the person's reason on (context.reason)"},
		{BreakGlassUnreviewed, "nobody reviewed earlier emergency access under the agreement in time", "review what is overdue (`entente breakglass list`)"},
		{BreakGlassTooMany, "as much emergency access of the person, or of everybody, waits for its review as may", "review what waits (`entente breakglass list`)"},
		{BreakGlassEnded, "a local person ended this emergency access, or found it unjustified", "ask whoever reviews it"},
		{BreakGlassUsedUp, "the emergency access was good for fewer decisions", "wait for its end, then ask anew"},
		{BreakGlassUnrecorded, "emergency access would be opened, and is not on record", "nothing: a request opens it, and a hypothetical one does not"},
		{WorkloadConflict, "the caller's token says otherwise of what it runs as or on than the enforcement point sees", "look into it: one of the two is wrong, or the token is another workload's"},
		{ActorEntitled, "the principal has a role here, but the actor has none of its own", "see the explanation; an actor gets no more than it may itself"},

		{NoPolicy, "there is no local policy", "apply one; nothing is permitted without"},
		{PolicyDenies, "no local policy permits it", "change the local policy, if it should"},
		{BreakGlassAvailable, "no local policy permits it, and in an emergency the person may break the glass", "in an emergency ask again for the purpose BTG, with a reason; it is told to both sides, and reviewed"},
		{PolicyForbid, "a local policy forbids it; that beats every agreement", "nothing, or change the local policy"},
		{PolicyError, "a local policy failed on this request, and a failed one denies", "correct the policy that is named, or have the attribute it reads supplied"},
		{PolicyActor, "the local policy permits the principal, but not the actor", "change the local policy, if it should"},

		{TooMuchAccess, "a credential was asked for that names more than its tier allows", "ask for less at a time"},
		{Unwatched, "a session would stay open whose end nobody could be told", "open the watch stream first, or ask for every call"},

		{CannotRecord, "the decision could not be made durable", "look at the node's disk; it answers again by itself"},
		{Unsettled, "trust was reduced again and again while the decision was made", "ask again"},
	}
}
