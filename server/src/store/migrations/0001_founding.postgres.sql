-- Rows that are updated in place keep room on their page, so that no index entry is written.
alter table grants set (fillfactor = 70);
alter table clients set (fillfactor = 70);
alter table connections set (fillfactor = 70);
alter table sessions set (fillfactor = 80);
