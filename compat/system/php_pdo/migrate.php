<?php
$url = parse_url(getenv("DATABASE_URL"));
$place = "host={$url['host']};port={$url['port']};dbname=" . substr($url["path"], 1);
$connection = new PDO("pgsql:$place", $url["user"], "", [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
foreach (glob("sql/*.sql") as $path) {
    $connection->exec(file_get_contents($path));
}
