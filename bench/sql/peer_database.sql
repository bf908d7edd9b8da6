CREATE DATABASE bench_peer TEMPLATE template0;
