# One image for web, worker, beat and migrations; only the command differs.
FROM python:3.12-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 OPENBLAS_NUM_THREADS=1
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY . .
# Static files are hashed and compressed into the image; the throw-away key signs nothing.
RUN SECRET_KEY=build-only-0000000000000000000000000000000000000000000 DATABASE_URL=sqlite://:memory: \
    python manage.py collectstatic --noinput \
 && useradd --uid 10001 --no-create-home clinic \
 && mkdir -p /app/var /app/media && chown clinic /app/var /app/media
USER clinic
EXPOSE 8000
CMD ["gunicorn", "clinic_crm.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "4"]
