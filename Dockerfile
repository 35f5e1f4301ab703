FROM python:3.11-slim
WORKDIR /automix
COPY . .
RUN pip install --no-cache-dir -c constraints.txt '.[web]'
# stems are kept and plots are made where any user may write
ENV HOME=/tmp
WORKDIR /songs
ENTRYPOINT ["automix"]
CMD ["--help"]
