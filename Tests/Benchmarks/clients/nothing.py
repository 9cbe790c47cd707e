"""FastAPI doing nothing: reads the body, says 202. For uvicorn, which has one worker and no access log."""
from fastapi import FastAPI, Request

app = FastAPI()


@app.post("/ingest", status_code=202)
async def ingest(request: Request):
    await request.body()
    return {"status": "accepted"}
