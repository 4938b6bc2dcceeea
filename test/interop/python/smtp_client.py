"""smtplib against the server at the given port: logs in where asked to, and sends messages."""
import json, smtplib, ssl, sys

a = json.loads(sys.argv[1])
context = ssl.create_default_context(cafile=a["ca"])
answer = {}
if a.get("lmtp"):
    smtp = smtplib.LMTP("localhost", a["port"])
elif a["tls"] == "implicit":
    smtp = smtplib.SMTP_SSL("localhost", a["port"], context=context)
else:
    smtp = smtplib.SMTP("localhost", a["port"])
    smtp.ehlo()
    if a["tls"] == "starttls":
        smtp.starttls(context=context)
        smtp.ehlo()
answer["features"] = sorted(getattr(smtp, "esmtp_features", {}))
if a.get("user"):
    smtp.login(a["user"], a["password"])
answer["refused"] = {k: v[0] for k, v in smtp.sendmail(a["from"], a["to"], a["message"].encode()).items()}
answer["vrfy"] = smtp.verify("alice@example.test")[0]
answer["noop"] = smtp.noop()[0]
answer["quit"] = smtp.quit()[0]
print(json.dumps(answer))
