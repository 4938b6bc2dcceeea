"""poplib against the server at the given port: every method, and the messages as they came."""
import json, poplib, ssl, sys

a = json.loads(sys.argv[1])
context = ssl.create_default_context(cafile=a["ca"])
if a["tls"] == "implicit":
    pop = poplib.POP3_SSL("localhost", a["port"], context=context)
else:
    pop = poplib.POP3("localhost", a["port"])
    if a["tls"] == "starttls":
        pop.stls(context=context)
answer = {"capa": sorted(pop.capa())}
if a.get("apop"):
    pop.apop(a["user"], a["password"])
else:
    pop.user(a["user"])
    pop.pass_(a["password"])
answer["stat"] = pop.stat()
answer["list"] = [line.decode() for line in pop.list()[1]]
answer["uidl"] = [line.decode() for line in pop.uidl()[1]]
answer["messages"] = ["\r\n".join(line.decode() for line in pop.retr(i + 1)[1]) + "\r\n" for i in range(answer["stat"][0])]
answer["top"] = len(pop.top(1, 1)[1])
pop.noop()
pop.dele(1)
pop.rset()
pop.dele(1)
pop.quit()
print(json.dumps(answer))
