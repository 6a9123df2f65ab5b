/*
 * The feed between a home and a host, as small as it can be: two revocations, a
 * network that loses, repeats and reorders, heartbeats that answer a nonce, a
 * host that crashes. Each of the two people asks at the host at any moment.
 *
 * What must hold, whatever happens:
 *
 *   - a permit is given at most BOUND after the home acknowledged the end (R34, R78);
 *   - the home forgets a message only once the host has it for good;
 *   - the host has no message without the one before it.
 *
 * Each rule it rests on can be taken out, to see that the search notices:
 *
 *   -DEARLY      a message is accepted before it is durable
 *   -DGAP        a message is applied though one before it is missing
 *   -DRECEIVED   a view is as old as the answer, not as the nonce
 *   -DUNAPPLIED  an answer counts before everything up to its head is applied
 *   -DREMEMBERED a view outlives the process whose clock measured its age
 */
#define NONE    15
#define BOUND   1
#define END     4  /* of time */
#define PEOPLE  2  /* message k ends person k */
#define CRASHES 1

byte now = 0;
byte head = 0;           /* of the home's feed; durable */
byte cursor = 0;         /* up to which the home has forgotten it */
byte ended[PEOPLE + 1];  /* when the end of each was acknowledged */

byte applied = 0;        /* by the host; durable */
bool marked[PEOPLE + 1]; /* whose end the host has; durable */
byte taken = 0;          /* accepted and not durable: the fault EARLY */
byte crashes = 0;

byte proven = NONE;      /* when the nonce was sent whose answer the view rests on */
byte sent = NONE;        /* the same of an answer that waits for its head */
byte wanted = 0;

chan nonce  = [1] of { byte };       /* when it was sent */
chan answer = [1] of { byte, byte }; /* that, and the head */
chan feed   = [1] of { byte };       /* a message's number */
chan accept = [1] of { byte };       /* likewise */

inline apply(n) {
	applied = n;
	marked[n] = true;
	if
	:: sent != NONE && wanted <= applied -> view(sent); sent = NONE
	:: else -> skip
	fi
}

inline view(s) {
	if
	:: proven == NONE || s > proven -> proven = s
	:: else -> skip
	fi
}

active proctype clock() {
	do
	:: now < END -> now++
	:: else -> break
	od
}

active proctype home() {
	byte s, n;
	do
	:: atomic { head < PEOPLE -> head++; ended[head] = now }
	/* what is under way may be repeated and overtaken */
	:: atomic { nempty(nonce) && nfull(answer) -> nonce?s; answer!s,head; s = 0 }
	:: atomic { nfull(feed) && head > 0 -> n = 1;
		do :: n < head -> n++ :: break od;
		feed!n; n = 0 }
	:: atomic { accept?n ->
		if
		:: n > cursor -> cursor = n
		:: else -> skip
		fi;
		assert(cursor <= applied); n = 0 }
	od
}

/* Whatever is under way may be lost. */
active proctype network() {
	do
	:: nonce?_
	:: answer?_,_
	:: feed?_
	:: accept?_
	od
}

active proctype host() {
	byte s, h, n;
	do
	:: atomic { nfull(nonce) -> nonce!now }
	:: atomic { answer?s,h ->
#ifdef RECEIVED
		s = now;
#endif
		if
#ifdef UNAPPLIED
		:: true -> view(s)
#else
		:: h <= applied -> view(s)
		:: h > applied -> sent = s; wanted = h
#endif
		fi; s = 0; h = 0 }
	:: atomic { nfull(accept) && taken == 0 && nempty(feed) -> feed?n;
		if
#ifdef GAP
		:: n > applied ->
#else
		:: n == applied + 1 ->
#endif
#ifdef EARLY
			taken = n; accept!n
#else
			assert(n == 1 || marked[n - 1]);
			apply(n); accept!n
#endif
		:: n <= applied -> accept!n
		:: else -> skip /* a gap: it comes again */
		fi; n = 0 }
	:: atomic { taken != 0 -> apply(taken); taken = 0 }
	:: atomic { crashes < CRASHES -> crashes++;
		taken = 0; sent = NONE;
#ifdef REMEMBERED
		if :: proven != NONE -> proven = now :: else -> skip fi
#else
		proven = NONE
#endif
		}
	/* somebody asks, and is permitted */
	:: atomic { proven != NONE && now - proven <= BOUND && !marked[1] ->
		assert(head < 1 || now <= ended[1] + BOUND) }
	:: atomic { proven != NONE && now - proven <= BOUND && !marked[2] ->
		assert(head < 2 || now <= ended[2] + BOUND) }
	od
}
