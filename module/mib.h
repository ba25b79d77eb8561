/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The counters of a namespace, shown by /proc/net/xtcp_snmp as "name value".
 * X(id, name): names as native TCP has them where it has them.
 */
#ifndef XTCP_MIB_H
#define XTCP_MIB_H

#define XTCP_MIBS(X)				\
	X(ACTIVEOPENS, "ActiveOpens")		\
	X(PASSIVEOPENS, "PassiveOpens")		\
	X(ATTEMPTFAILS, "AttemptFails")		\
	X(ESTABRESETS, "EstabResets")		\
	X(CURRESTAB, "CurrEstab")		\
	X(INSEGS, "InSegs")			\
	X(OUTSEGS, "OutSegs")			\
	X(RETRANSSEGS, "RetransSegs")		\
	X(INERRS, "InErrs")			\
	X(OUTRSTS, "OutRsts")			\
	X(INCSUMERRORS, "InCsumErrors")		\
	X(TIMEOUTS, "TCPTimeouts")		\
	X(FASTRETRANS, "TCPFastRetrans")	\
	X(OFOQUEUE, "TCPOFOQueue")		\
	X(DUPACKS, "DupAcksIn")			\
	X(DELAYEDACKS, "DelayedACKs")		\
	X(ZEROWINPROBES, "TCPWinProbe")		\
	X(CHALLENGEACKS, "TCPChallengeACK")	\
	X(ABORTTIMEOUT, "TCPAbortOnTimeout")	\
	X(ACKSKIPPED, "TCPACKSkipped")		\
	X(ABORTCLOSE, "TCPAbortOnClose")	\
	X(ABORTDATA, "TCPAbortOnData")		\
	X(ABORTMEMORY, "TCPAbortOnMemory")	\
	X(ABORTLINGER, "TCPAbortOnLinger")	\
	X(ABORTFAILED, "TCPAbortFailed")	\
	X(KEEPALIVES, "TCPKeepAlive")		\
	X(TWOVERFLOW, "TCPTimeWaitOverflow")	\
	X(PRESSURES, "TCPMemoryPressures")	\
	X(PRESSURESMS, "TCPMemoryPressuresChrono") \
	X(LISTENOVERFLOWS, "ListenOverflows")	\
	X(LISTENDROPS, "ListenDrops")		\
	X(EMBRYONICRSTS, "EmbryonicRsts")	\
	X(SYNRETRANS, "TCPSynRetrans")		\
	X(SYNRECVSKIPPED, "TCPACKSkippedSynRecv") \
	X(REQQFULLDROP, "TCPReqQFullDrop")	\
	X(REQQFULLDOCOOKIES, "TCPReqQFullDoCookies") \
	X(DEFERACCEPTDROP, "TCPDeferAcceptDrop") \
	X(SYNCOOKIESSENT, "SyncookiesSent")	\
	X(SYNCOOKIESRECV, "SyncookiesRecv")	\
	X(SYNCOOKIESFAILED, "SyncookiesFailed")	\
	X(TIMEWAITED, "TW")			\
	X(TIMEWAITRECYCLED, "TWRecycled")	\
	X(RCVQDROP, "TCPRcvQDrop")		\
	X(OFODROP, "TCPOFODrop")		\
	X(OFOPRUNED, "OfoPruned")		\
	X(BACKLOGDROP, "TCPBacklogDrop")	\
	X(NOMEM, "NoMemory")			\
	X(ICMPERRS, "IcmpErrors")		\
	X(OUTOFWINDOWICMPS, "OutOfWindowIcmps")	\
	X(LOCKDROPPEDICMPS, "LockDroppedIcmps")	\
	X(MINTTLDROP, "TCPMinTTLDrop")		\
	X(DROP_OLD_SEQ, "DropOldSeq")		\
	X(DROP_OUT_OF_WINDOW, "DropOutOfWindow") \
	X(DROP_OLD_ACK, "DropOldAck")		\
	X(DROP_NEW_ACK, "DropNewAck")		\
	X(DROP_NO_ACK, "DropNoAck")		\
	X(DROP_BAD_FLAGS, "DropBadFlags")	\
	X(DROP_DUP_OFO, "DropDupOfo")		\
	X(DROP_AFTER_FIN, "DropAfterFin")	\
	X(DROP_CLOSED, "DropClosed")		\
	X(DROP_RST, "RstReceived")		\
	X(DROP_PAWS, "PAWSEstab")		\
	X(DROP_TSECR, "PAWSActive")		\
	X(DROP_NO_SOCKET, "DropNoSocket")	\
	X(DROP_POLICY, "DropPolicy")		\
	X(DROP_FILTER, "DropFilter")

enum xtcp_counter {
#define X(id, name) XTCP_CNT_##id,
	XTCP_MIBS(X)
#undef X
	XTCP_NCOUNTERS,
};

/* For a table of the names, in the order of the numbers. */
#define XTCP_MIB_NAME(id, name) name,

struct xtcp_counters {
	unsigned long v[XTCP_NCOUNTERS];
};

#endif /* XTCP_MIB_H */
