from __future__ import annotations
import time, pytest
from app.db.session import transaction
from tests.integration.payment_roll import DISTRICT, Roll, communities, card_number
from app.domain.payments.bankfile import read_bank_file
from tests.integration.test_payments import BASE, act, done, open_batch
from app.db.repositories import payment_claims as pc, payment_ledger as pl
from sqlalchemy.ext.asyncio import AsyncSession
pytestmark = pytest.mark.db
def wrap(cls,name):
    o=getattr(cls,name)
    async def w(self,*a,**k):
        t=time.perf_counter(); r=await o(self,*a,**k); print("   ",name,round(time.perf_counter()-t,2)); return r
    setattr(cls,name,w)
for n in ("count_due","list_due","payees","take","hold_shared_accounts","void_held","totals","list_payable","mark_released"): wrap(pc.ClaimRepository,n)
wrap(pl.LedgerRepository,"post_release")
async def test_big(sign_in, runtime, world):
    st=communities()[150][:9]
    codes=[c for c in communities() if c.startswith(st)][:10]
    t=time.perf_counter()
    async with transaction(runtime.engine, DISTRICT) as s:
        for n in range(2000):
            r=Roll(runtime, codes[n%len(codes)])
            h=await r._household(s, n, card_number(5000000+n), "陈示芳", "card")
            await r.entitlement(s, h, {"base":100,"uplift_elderly":7})
    print("setup", time.perf_counter()-t)
    oe=AsyncSession.execute
    async def ex(self,st,*a,**k):
        t=time.perf_counter(); r=await oe(self,st,*a,**k); d=time.perf_counter()-t
        if d>.2: print("       ",round(d,2),str(st)[:90].replace("\n"," "))
        return r
    AsyncSession.execute=ex
    f,a=sign_in("district.finance"),sign_in("district.approver")
    b=await open_batch(f,st)
    for c,n in ((f,"compute"),(f,"submit"),(a,"approve"),(a,"release")):
        t=time.perf_counter(); x=await done(c,b,n); print(n, round(time.perf_counter()-t,2), x["total_fen"])
    t=time.perf_counter(); r=await f.get(f"{BASE}/{b['id']}/bank-file"); print("file", round(time.perf_counter()-t,2), len(read_bank_file(r.content).lines))
