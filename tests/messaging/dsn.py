"""Notifications as mail servers write them (RFC 3464), with the names and addresses of nobody."""

from __future__ import annotations

CLIENT = "0123456789abcdef0123456789abcdef"
TO = "maria@example.org"

# {to}: whom we wrote to; {client}: our key; {domain}: ours.
POSTFIX = """\
Return-Path: <>
Date: Mon,  2 Mar 2026 12:00:05 +0300 (MSK)
From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: clinic@{domain}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4F2E1A0C.1772442005/mx.example.org"
Message-Id: <20260302090005.4F2E1A0C@mx.example.org>

This is a MIME-encapsulated message.

--4F2E1A0C.1772442005/mx.example.org
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

<{to}>: host mail.example.org[192.0.2.7] said: 550 5.1.1 <{to}>: Recipient address rejected

--4F2E1A0C.1772442005/mx.example.org
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
X-Postfix-Queue-ID: 4F2E1A0C
Arrival-Date: Mon,  2 Mar 2026 12:00:04 +0300 (MSK)

Final-Recipient: rfc822; {to}
Original-Recipient: rfc822;{to}
Action: {action}
Status: {status}
Remote-MTA: dns; mail.example.org
Diagnostic-Code: smtp; 550 {status} <{to}>: Recipient address rejected

--4F2E1A0C.1772442005/mx.example.org
Content-Description: Undelivered Message
Content-Type: message/rfc822

From: clinic@{domain}
To: {to}
Subject: hello
Message-ID: <{client}@{domain}>
Auto-Submitted: auto-generated

text
--4F2E1A0C.1772442005/mx.example.org--
"""

EXIM = """\
Return-path: <>
X-Failed-Recipients: {to}
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.example.net>
To: clinic@{domain}
Content-Type: multipart/report; report-type=delivery-status; boundary=1772442005-eximdsn-804289383
MIME-Version: 1.0
Subject: Mail delivery failed: returning message to sender

--1772442005-eximdsn-804289383
Content-type: text/plain; charset=us-ascii

This message was created automatically by mail delivery software.

  {to}
    host mail.example.org [192.0.2.7]
    SMTP error from remote mail server after RCPT TO:<{to}>:
    550 no such user here

--1772442005-eximdsn-804289383
Content-type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Action: failed
Final-Recipient: rfc822;{to}
Status: 5.0.0
Remote-MTA: dns; mail.example.org
Diagnostic-Code: smtp; 550 no such user here

--1772442005-eximdsn-804289383
Content-type: text/rfc822-headers

Return-path: <clinic@{domain}>
Message-Id: <{client}@{domain}>
To: {to}

--1772442005-eximdsn-804289383--
"""

SENDMAIL = """\
From: Mail Delivery Subsystem <MAILER-DAEMON@relay.example.com>
To: <clinic@{domain}>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
 boundary="u2290Abc012345.1772442005/relay.example.com"
Subject: Returned mail: see transcript for details
Auto-Submitted: auto-generated (failure)

This is a MIME-encapsulated message

--u2290Abc012345.1772442005/relay.example.com

The original message was received at Mon, 2 Mar 2026 12:00:05 +0300

   ----- The following addresses had permanent fatal errors -----
<{to}>
    (reason: 550 5.1.1 User unknown)

--u2290Abc012345.1772442005/relay.example.com
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example.com
Received-From-MTA: DNS; app.example.com
Arrival-Date: Mon, 2 Mar 2026 12:00:05 +0300

Final-Recipient: RFC822; {to}
Action: failed
Status: 5.1.1
Remote-MTA: DNS; mail.example.org
Diagnostic-Code: SMTP; 550 5.1.1 User unknown
Last-Attempt-Date: Mon, 2 Mar 2026 12:00:06 +0300

--u2290Abc012345.1772442005/relay.example.com
Content-Type: text/rfc822-headers

Return-Path: <clinic@{domain}>
To: {to}
Message-ID: <{client}@{domain}>

--u2290Abc012345.1772442005/relay.example.com--
"""

EXCHANGE = """\
From: <postmaster@corp.example.org>
To: <clinic@{domain}>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="_0e9a3d7c-outlook-ndr_"
Subject: Undeliverable: hello
X-MS-Exchange-Message-Is-Ndr:

--_0e9a3d7c-outlook-ndr_
Content-Type: multipart/alternative; differences=Content-Type; boundary="_alt_"

--_alt_
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: base64

0J3QtSDQtNC+0YHRgtCw0LLQu9C10L3Qvg==

--_alt_--

--_0e9a3d7c-outlook-ndr_
Content-Type: message/delivery-status

Reporting-MTA: dns;EX01.corp.example.org
Received-From-MTA: dns;mail.example.org
Arrival-Date: Mon, 2 Mar 2026 09:00:05 +0000

Final-Recipient: rfc822;{to}
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
X-Display-Name: {to}

--_0e9a3d7c-outlook-ndr_
Content-Type: message/rfc822

Received: from mail.example.org by EX01.corp.example.org
From: <clinic@{domain}>
To: <{to}>
Message-ID: <{client}@{domain}>
Subject: hello

text

--_0e9a3d7c-outlook-ndr_--
"""

GMAIL = """\
From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>
To: clinic@{domain}
Auto-Submitted: auto-replied
Subject: Delivery Status Notification (Failure)
Content-Type: multipart/report; boundary="000000000000abcdef"; report-type=delivery-status

--000000000000abcdef
Content-Type: multipart/related; boundary="000000000000related"

--000000000000related
Content-Type: text/plain; charset="UTF-8"

** Address not found **

--000000000000related--
--000000000000abcdef
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.com
Arrival-Date: Mon, 02 Mar 2026 01:00:05 -0800 (PST)
X-Original-Message-ID: <{client}@{domain}>

Final-Recipient: rfc822; {to}
Action: failed
Status: 5.2.1
Remote-MTA: dns; gmail-smtp-in.l.google.com. (192.0.2.9, the server for the domain example.org.)
Diagnostic-Code: smtp; 550-5.2.1 The email account that you tried to reach is inactive.
Last-Attempt-Date: Mon, 02 Mar 2026 01:00:06 -0800 (PST)

--000000000000abcdef
Content-Type: message/rfc822

From: clinic@{domain}
To: {to}
Message-ID: <{client}@{domain}>

----- Message truncated -----
--000000000000abcdef--
"""

SAMPLES = {"postfix": POSTFIX, "exim": EXIM, "sendmail": SENDMAIL, "exchange": EXCHANGE, "gmail": GMAIL}


def notification(
    name: str = "postfix",
    *,
    client: str = CLIENT,
    to: str = TO,
    domain: str = "clinic.example.org",
    status: str = "5.1.1",
    action: str = "failed",
) -> bytes:
    text = SAMPLES[name]
    for word, value in (("client", client), ("to", to), ("domain", domain), ("status", status), ("action", action)):
        text = text.replace(f"{{{word}}}", value)
    return text.replace("\n", "\r\n").encode()
