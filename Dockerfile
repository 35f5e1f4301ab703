# docker build -t automix .
# docker run --rm -v "$PWD:/songs" automix transfer my-song.wav a-song-i-love.flac -o result.wav
FROM python:3.11-slim
WORKDIR /automix
COPY . .
RUN pip install --no-cache-dir -c constraints.txt '.[web]'
# stems are kept and plots are made where any user may write
ENV HOME=/tmp
WORKDIR /songs
ENTRYPOINT ["automix"]
CMD ["--help"]
