"""A FastAPI app that reads the body and answers 202. For uvicorn with one worker and no access log."""
from fastapi import FastAPI, Request

app = FastAPI()


@app.post("/ingest", status_code=202)
async def ingest(request: Request):
    await request.body()
    return {"status": "accepted"}
