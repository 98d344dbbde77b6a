import time, pytest
from tests.integration.test_casework_demo import *
async def test_t(cluster, worker_name, data_folder):
    t=time.perf_counter()
    def lap(n):
        nonlocal t
        print(n, round(time.perf_counter()-t,2)); t=time.perf_counter()
    whole = demo_population(AS_OF); lap("pop")
    population=replace(whole, households=tuple(p.household for p in whole.applications))
    settings = await build_database(cluster, f"demo_{worker_name}", data_folder); lap("db")
    async with running(settings) as runtime:
        await load_reference(runtime); lap("ref")
        await load_accounts(runtime); lap("acc")
        await load_population(runtime, population); lap("loadpop")
        import cProfile
        await load_applications(runtime, population); lap("apps")
