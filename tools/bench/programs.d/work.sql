-- Rows in, an index, joins, groups and changes.
create table item(id integer primary key, name text, price real, kind integer);
create table kind(id integer primary key, name text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20)
    insert into kind select i, 'kind ' || i from n;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 120000)
    insert into item select i, printf('item %05d', i * 7919 % 120000), (i * 31 % 1000) / 8.0, i * i % 20 + 1 from n;
create index by_name on item(name);
select kind.name, count(*), sum(price), max(item.name) from item join kind on kind.id = item.kind group by kind.id;
select count(*) from item a join item b on b.name = 'item ' || substr(a.name, 6) where a.id % 4 = 0;
update item set price = price * 1.25 where name like '%7%';
delete from item where kind = 3;
select name, price from item order by price desc, name limit 30;
select length(group_concat(upper(name))) from item where price between 10 and 60;
