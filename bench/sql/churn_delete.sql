DELETE FROM ann WHERE id % 10 <> $1;
