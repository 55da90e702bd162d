# docker build -t instep .
# docker run --rm -v "$PWD:/repo:ro" instep v3.110
#
# The image holds instep, the certificate authorities and an empty /tmp: no shell, no git. So --fetch and demo do not work in it, and
# simulate only with --engine dsn. BUILDER is any image with Go 1.26 and certificate authorities.
ARG BUILDER=golang:1.26-bookworm
FROM ${BUILDER} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=
RUN CGO_ENABLED=0 GOFLAGS= go build -trimpath -buildvcs=false \
      -ldflags "-s -w -buildid= -X instep/cmd/internal/cli.buildVersion=${VERSION}" -o /out/instep ./cmd/instep \
 && cp /etc/ssl/certs/ca-certificates.crt /out/ \
 && mkdir -m 1777 /out/tmp

FROM scratch
COPY --from=build /out/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/tmp /tmp
COPY --from=build /out/instep /usr/bin/instep
# Nobody's: a mounted repository needs to be readable for others, or give --user "$(id -u)".
USER 65532:65532
WORKDIR /repo
ENTRYPOINT ["/usr/bin/instep"]
HEALTHCHECK NONE
