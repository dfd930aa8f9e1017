#!/bin/bash
# Provisioning of the Vagrant VM, as root: builds tenantrace from /vagrant and runs it as a service with the lab's policy, and a Prometheus
# that scrapes it with the files that ship. It may run again at any time, and then installs what is built anew.
set -euo pipefail
cd /vagrant

make deps build

if [ "$(dpkg-query --show --showformat='${db:Status-Status}' prometheus 2>/dev/null)" != installed ]; then
    echo "service: installing from Debian's archive: prometheus"
    apt-get update -qq # nothing before this needs to have done it
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends prometheus >/dev/null
fi

install -m 755 bin/tenantrace /usr/local/bin/tenantrace
install -D -m 644 lab/policy.yaml /etc/tenantrace/policy.yaml
install -m 644 deploy/tenantrace.service /etc/systemd/system/tenantrace.service
install -D -m 644 lab/vm/tenantrace.conf /etc/systemd/system/tenantrace.service.d/lab.conf

# This Prometheus is too old to include a file of scrape configurations, so scrape.yaml becomes a part of the one that it reads.
install -D -m 644 deploy/prometheus/rules.yaml /etc/prometheus/rules/tenantrace.yaml
{
    echo 'rule_files: [/etc/prometheus/rules/*.yaml]'
    cat deploy/prometheus/scrape.yaml
} >/etc/prometheus/prometheus.yml
promtool check config /etc/prometheus/prometheus.yml
promtool test rules deploy/prometheus/rules-test.yaml
echo 'ARGS="--web.listen-address=127.0.0.1:9090"' >/etc/default/prometheus

systemctl daemon-reload
systemctl enable --quiet tenantrace prometheus
systemctl restart tenantrace prometheus

# Ready means: the probes are attached, and Prometheus answers.
for url in http://127.0.0.1:9778/readyz http://127.0.0.1:9090/-/ready; do
    deadline=$((SECONDS + 120))
    until python3 -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=10)' "$url" 2>/dev/null; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            echo "service: \"$url\" is not ready after two minutes [journalctl -u tenantrace -u prometheus]" >&2
            journalctl --no-pager --lines 30 -u tenantrace -u prometheus >&2
            exit 1
        fi
        sleep 1
    done
done
echo 'service: tenantrace and Prometheus are ready'
