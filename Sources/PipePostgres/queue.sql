-- The tables and functions of a queue in PostgreSQL, created in a schema of its own. Functions whose names
-- end in a number are called by clients: such a function is never changed, only followed by one with the
-- next number, so that all versions of pipe in a fleet can use one queue.

create table format (
  version int not null default 1,
  slice int not null default 3,
  retries int not null default 5,
  backoff bigint not null default 1000000,          -- microseconds, as are all times and spans
  backoff_most bigint not null default 300000000,
  retain bigint not null default 604800000000,
  max_items bigint,
  max_bytes bigint,
  promote_after bigint,
  lost bigint not null default 40000000,            -- silence after which a host counts as lost
  paused_since bigint,
  paused_until bigint,
  pause_reason text);
insert into format default values;

-- Lines of entries: only appended, never updated, pruned from the front.
create table entry (
  lane smallint not null,                           -- 0 HIGH, 1 MEDIUM, 2 LOW
  number bigint not null,                           -- of its first item; counts the items of the lane
  items int not null,                               -- 1 for a record
  id uuid not null,                                 -- the 16 bytes of the ULID
  time bigint not null,                             -- accepted; never decreases within a lane
  bytes bigint not null,                            -- of all data in the lane up to and with this entry
  nth bigint not null,                              -- counts the entries of the lane from 1
  created bigint,                                   -- first seen; null: accepted then
  slice int,                                        -- items per slice; null for a record
  not_before bigint,
  key text,                                         -- JSON text with its quotes
  options text,                                     -- the OPTIONS column of pipe-queue(5)
  data text not null,                               -- JSON, byte for byte
  primary key (lane, number));
create unique index entry_id on entry (id);
create index entry_delayed on entry (lane, number) where not_before is not null;
create index entry_same on entry (hashtextextended(coalesce(key, data), 0));
alter table entry alter data set storage external;

-- Items before the head were handed out or passed over. Of these, the ones that neither span, later nor
-- dead has are done: a claim and the head move in one transaction.
create table head (lane smallint primary key, number bigint not null) with (fillfactor = 10);
insert into head values (0, 0), (1, 0), (2, 0);

-- Ranges of items with a state; `last` is not included.
create table span (
  lane smallint not null,
  first bigint not null,
  last bigint not null,
  state "char" not null,                            -- c claimed, h held by the clock, a ready again
  batch uuid,                                       -- the last batch they were in; null: never tried
  attempt int not null,                             -- attempts made, and begun while claimed
  due bigint not null default 0,
  owner int,
  history text not null default '',                 -- a line for each failed attempt
  primary key (lane, first))
  with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
create index span_batch on span (batch) where state in ('c', 'h');
create index span_ready on span (lane, first) where state = 'a';
create index span_due on span (due) where state = 'h';

-- Ranges that wait for a time. A table of its own, so that span stays small.
create table later (like span including defaults);
alter table later add primary key (lane, first);
create index later_due on later (due);

create table dead (
  lane smallint not null,
  number bigint not null,
  dropped bool not null default false,
  died bigint not null,
  history text not null,
  stderr bytea not null default '',
  primary key (lane, number));

create table pace (
  started bigint not null, every bigint not null, size int not null, items bigint not null)
  with (fillfactor = 10);
insert into pace values (0, 0, 0, 0);

create table counter (name text primary key, value bigint not null);

-- The run of the server in which owners took their numbers; see arrive_1. The server empties an unlogged table
-- when it recovers from a crash, also from that of one session, which ends all others.
create table epoch (mark text not null, since bigint not null, owner int not null);
create unlogged table run (mark uuid not null);

-- Lines of stats/ (pipe-queue(5), STATS), and records of output/ by the numbers of their items.
create table settled (place bigserial primary key, line text not null);
create table output (
  lane smallint not null, first bigint not null, last bigint not null, place bigserial, record bytea not null,
  primary key (lane, first, place));
alter table output alter record set storage external;

create sequence owner as int minvalue 16 cycle;

create function micros() returns bigint language sql volatile as
  $$ select (extract(epoch from clock_timestamp()) * 1000000)::bigint $$;

-- The first half of the queue's advisory locks. The second half: 1 storing, 2 claiming, 3 a process waits for ready
-- items, 4 a process waits for settlements, 5 pruning, 6 the epoch, 7 folding statistics, and from 16 on the owners.
create function lock_key() returns int language plpgsql stable as
  $$ begin return ('format'::regclass::oid::bigint - 2147483648)::int; end $$;

-- Stores entries, in order. Returns for each whether its id was known, and the id of the equal entry that was
-- accepted less than `period` ago; neither is stored. `may_repeat`: entries that may equal earlier ones.
-- Not flushed: the caller flushes in a transaction of its own, which all share.
create function put_1(
  lanes smallint[], counts int[], ids uuid[], createds bigint[], slices int[], befores bigint[], keys text[],
  option_texts text[], texts text[], is_moving bool, period bigint, may_repeat bool[])
  returns table (is_known bool, same uuid) language plpgsql as $$
#variable_conflict use_column
declare
  l smallint; base bigint; sum bigint; t bigint; known bool[]; sames uuid[]; f format; n bigint; b bigint;
  at bigint; other uuid;
begin
  perform pg_advisory_xact_lock(lock_key(), 1);
  select * into f from format;
  at := micros();
  -- Stored before, or earlier in the same call.
  select array_agg(exists (select from entry e where e.id = x.i) or x.nth > 1 order by o) into known
    from (select u.i, u.o, row_number() over (partition by u.i order by u.o) as nth
      from unnest(ids) with ordinality u(i, o)) x;
  sames := array_fill(null::uuid, array[array_length(ids, 1)]);
  if period > 0 then
    for i in 1 .. array_length(ids, 1) loop
      continue when known[i] or may_repeat[i];
      select e.id into other from entry e
        where hashtextextended(coalesce(e.key, e.data), 0) = hashtextextended(coalesce(keys[i], texts[i]), 0)
          and e.time > at - period and e.time <= at
          and case when keys[i] is not null then e.key = keys[i]
            else e.key is null and e.data = texts[i] and (e.slice is null) = (slices[i] is null)
              and (slices[i] is null or e.lane = lanes[i]) end
        order by e.time desc limit 1;
      if found then sames[i] := other; end if;
    end loop;
    -- Equal lines of one call: the first that is stored answers for the others.
    with u as (select o, i, case when k is not null then 'k' || k
            when sl is not null then 'l' || la || d else 'r' || d end as content, r
          from unnest(ids, keys, texts, slices, lanes, known, sames, may_repeat) with ordinality
            as u(i, k, d, sl, la, w, sa, r, o) where not w and sa is null),
      v as (select o, r, first_value(i) over w as first, row_number() over w as nth from u
        window w as (partition by content order by o))
      select array_agg(coalesce(v.first, x.same) order by x.o) into sames
        from unnest(sames) with ordinality x(same, o) left join v on v.o = x.o and v.nth > 1 and not v.r;
  end if;
  if not is_moving and (f.max_items is not null or f.max_bytes is not null) then
    if array_length(ids, 1) = 1 and not known[1] and sames[1] is null then
      if counts[1] > f.max_items then
        raise exception using errcode = 'PQ002', message = format('%s items, at most %s allowed (pipe init --max-items)', counts[1], f.max_items);
      end if;
      if octet_length(texts[1]) > f.max_bytes then
        raise exception using errcode = 'PQ002', message = format('%s bytes, at most %s allowed (pipe init --max-bytes)', octet_length(texts[1]), f.max_bytes);
      end if;
    end if;
    select sum(u.items), sum(u.bytes) into n, b from unsettled() u;
    if n + (select coalesce(sum(c), 0) from unnest(counts, known, sames) u(c, k, s) where not k and s is null) > f.max_items then
      raise exception using errcode = 'PQ001', message = format('%s items are not done, at most %s allowed (pipe init --max-items)', n, f.max_items);
    end if;
    if b + (select coalesce(sum(octet_length(d)), 0) from unnest(texts, known, sames) u(d, k, s) where not k and s is null) > f.max_bytes then
      raise exception using errcode = 'PQ001', message = format('%s bytes are not done, at most %s allowed (pipe init --max-bytes)', b, f.max_bytes);
    end if;
  end if;
  for l in select distinct unnest(lanes) order by 1 loop
    select e.base, e.sum, e.t, e.n into base, sum, t, n from lane_end(l) e;
    insert into entry (lane, number, items, id, time, bytes, nth, created, slice, not_before, key, options, data)
      select l, base + sum(c) over w - c, c, i, greatest(at, t + 1),
          sum + sum(octet_length(d)) over w, n + row_number() over w, cr, sl, nb, k, op, d
        from unnest(lanes, counts, ids, createds, slices, befores, keys, option_texts, texts, known, sames)
          with ordinality as x(la, c, i, cr, sl, nb, k, op, d, is_known, same, o)
        where la = l and not is_known and same is null window w as (order by o);
  end loop;
  return query select * from unnest(known, sames);
end $$;

-- The next number of a lane, its bytes so far, the time of its last entry and the count of its entries. An entry that
-- moved to another lane may have been the last: its numbers are not given again.
create function lane_end(l smallint, out base bigint, out sum bigint, out t bigint, out n bigint) language plpgsql stable as $$
begin
  select e.number + e.items, e.bytes, e.time, e.nth into base, sum, t, n from entry e where e.lane = l order by e.number desc limit 1;
  base := greatest(coalesce(base, 0), (select h.number from head h where h.lane = l));
  sum := coalesce(sum, 0);
  t := coalesce(t, 0);
  n := coalesce(n, 0);
end $$;

-- How long the owners of a run of the server that has ended have to come back.
create function grace() returns bigint language plpgsql stable as $$
begin return (select f.lost from format f); end $$;

-- The locks of owner numbers, and the sessions that hold them. A session that looks for dead owners holds theirs for a
-- moment.
create function owner_locks() returns table (pid int, owner int) language plpgsql as $$
begin
  return query select l.pid, l.objid::bigint::int from pg_locks l where l.locktype = 'advisory' and l.objsubid = 2 and l.granted
    and l.classid::bigint = (lock_key()::bigint & 4294967295) and l.objid::bigint >= 16
    and l.database = (select d.oid from pg_database d where d.datname = current_database());
end $$;

-- The owners whose claims hold: their sessions live, or may come back.
create function living() returns int[] language plpgsql as $$
declare found int[]; e epoch;
begin
  found := array(select l.owner from owner_locks() l);
  select * into e from epoch;
  if micros() < e.since + grace() then
    found := found || array(select distinct s.owner from span s where s.state = 'c' and s.owner < e.owner);
  end if;
  return found;
end $$;

-- Whether a living session or the clock holds a claim. A claim without a holder is ready, even before it is reaped.
create function is_held(state "char", due bigint, owner int, alive int[]) returns bool language plpgsql as $$
begin return state = 'h' and due > micros() or state = 'c' and owner = any (alive); end $$;

-- The items and bytes of each lane that are not done, counted as in the directory: bytes from the first one on.
create function unsettled() returns table (items bigint, bytes bigint) language plpgsql stable as $$
begin
  return query
    select greatest(0, coalesce(x.number + x.items - h.number, 0))
        + coalesce((select sum(s.last - s.first)::bigint from span s where s.lane = h.lane), 0)
        + coalesce((select sum(s.last - s.first)::bigint from later s where s.lane = h.lane), 0),
      coalesce(x.bytes - coalesce((select e.bytes from entry e where e.lane = h.lane and e.number < least(h.number,
        (select min(s.first) from span s where s.lane = h.lane), (select min(s.first) from later s where s.lane = h.lane))
        order by e.number desc limit 1), 0), 0)
    from head h left join lateral
      (select e.number, e.items, e.bytes from entry e where e.lane = h.lane order by e.number desc limit 1) x on true;
end $$;

-- Moves items whose time has come: overdue holds, and what waits in later.
create function settle_due(at bigint, most int) returns void language plpgsql as $$
begin
  if (select min(s.due) from span s where s.state = 'h') <= at then
    -- One statement: an acknowledgement that has not committed yet decides first.
    with d as (delete from span s where s.state = 'h' and s.due <= at and s.attempt > most returning s.*)
      insert into dead (lane, number, died, history)
        select d.lane, g, at, d.history || format(E'%s - %s - - not settled within its hold time\n', d.attempt, d.due)
        from d, generate_series(d.first, d.last - 1) g
        on conflict (lane, number) do update set died = excluded.died, history = excluded.history, dropped = false;
    if found then perform pg_notify('pipe_settled_' || lock_key(), ''); end if;
    update span s set state = 'a', due = 0,
        history = s.history || format(E'%s - %s - - not settled within its hold time\n', s.attempt, s.due)
      where s.state = 'h' and s.due <= at;
  end if;
  if (select min(s.due) from later s) <= at then
    with d as (delete from later s where (s.lane, s.first) in
        (select q.lane, q.first from later q where q.due <= at order by q.lane, q.first limit 100000) returning s.*)
      insert into span select d.lane, d.first, d.last, 'a', d.batch, d.attempt, 0, null, d.history from d;
  end if;
end $$;

-- Claims the longest run, in order, of what may come together (pipe-consume(1), BATCHES): at most `want`
-- items, none after their data reach `most_bytes`; their spans have the token. `run`: digits of the batch ids of this run, whose failed
-- items are skipped; empty: none.
create function claim_1(want int, most_bytes bigint, every bigint, lanes smallint[], me int, token uuid, run text)
  returns void language plpgsql as $$
#variable_conflict use_column
declare
  r record; s record; d record; h bigint; n bigint; had int := 0; room bigint := most_bytes; at bigint;
  kind uuid; single bool := false; begun bool := false; blocked bool := false; f format;
begin
  perform pg_advisory_xact_lock(lock_key(), 2);
  at := micros();
  select * into f from format;
  if f.paused_since is not null and (f.paused_until is null or f.paused_until > at) then return; end if;
  perform settle_due(at, f.retries);
  if every > 0 and (select p.started + claim_1.every > at from pace p) then return; end if;
  <<all_lanes>>
  for r in select q.lane as l, q.number as h,
      (select e.number + e.items from entry e where e.lane = q.lane order by e.number desc limit 1) as e,
      (select min(p.first) from span p where p.lane = q.lane and p.state = 'a') is not null as again
      from head q where q.lane = any (lanes) order by q.lane loop
    if r.again then
      for s in select * from span p where p.lane = r.l and p.state = 'a'
          and (run = '' or p.batch is null or substr(p.batch::text, 15, 9) <> run) order by p.lane, p.first loop
        exit all_lanes when had >= case when single then 1 else want end or room <= 0;
        -- What failed comes back with the items it failed with, and alone for its last attempt.
        exit all_lanes when begun and (s.attempt > 0 and s.batch is distinct from kind or s.attempt = 0 and kind is not null
          or single or s.attempt > 0 and s.attempt >= f.retries);
        if not begun then
          begun := true;
          if s.attempt > 0 then kind := s.batch; single := s.attempt >= f.retries; end if;
        end if;
        n := least(s.last, s.first + (case when single then 1 else want end) - had);
        n := fitting(r.l, s.first, n, room);
        if n < s.last then
          update span p set first = n where p.lane = r.l and p.first = s.first;
          insert into span values (r.l, s.first, n, 'c', token, s.attempt + 1, 0, me, s.history);
        else
          update span p set state = 'c', batch = token, attempt = s.attempt + 1, owner = me, due = 0
            where p.lane = r.l and p.first = s.first;
        end if;
        room := room - data_size(r.l, s.first, n);
        had := had + (n - s.first);
      end loop;
      exit all_lanes when had >= want or single or room <= 0;
    end if;
    continue all_lanes when r.e is null or r.e <= r.h;
    h := r.h;
    while h < r.e and had < want and room > 0 loop
      n := least(r.e, h + want - had);
      -- Entries whose time has not come are passed over.
      select p.number, p.items, p.not_before into d from entry p
        where p.lane = r.l and p.number < n and p.not_before > at and p.number >= (
          select q.number from entry q where q.lane = r.l and q.number <= h order by q.number desc limit 1)
        order by p.number limit 1;
      if found and d.number <= h then
        insert into later values (r.l, h, d.number + d.items, 'a', null, 0, d.not_before, null, '');
        h := d.number + d.items;
        continue;
      end if;
      -- Nothing overtakes what was never tried.
      blocked := kind is not null;
      exit when blocked;
      if found then n := d.number; end if;
      n := fitting(r.l, h, n, room);
      insert into span values (r.l, h, n, 'c', token, 1, 0, me, '');
      room := room - data_size(r.l, h, n);
      had := had + (n - h); begun := true;
      h := n;
    end loop;
    update head p set number = h where p.lane = r.l;
    exit all_lanes when blocked or had >= want or room <= 0;
  end loop;
  if had > 0 then update pace p set started = at, every = claim_1.every, size = want, items = p.items + had; end if;
end $$;

-- The end of the longest run from `a`, below `z`, whose data begin within `room` bytes; at least one item.
create function fitting(l smallint, a bigint, z bigint, room bigint) returns bigint language plpgsql stable as $$
declare before bigint; n bigint;
begin
  if data_size(l, a, z) <= room then return z; end if;
  select e.bytes - octet_length(e.data) into before from entry e where e.lane = l and e.number <= a order by e.number desc limit 1;
  select e.number + e.items into n from entry e where e.lane = l and e.number + e.items > a and e.bytes >= before + room
    order by e.number limit 1;
  return greatest(a + 1, least(z, coalesce(n, z)));
end $$;

-- Bytes of the entries that have items from `a` to before `z`.
create function data_size(l smallint, a bigint, z bigint) returns bigint language plpgsql stable as $$
begin
  return (select e.bytes from entry e where e.lane = l and e.number < z order by e.number desc limit 1)
    - (select e.bytes - octet_length(e.data) from entry e where e.lane = l and e.number <= a order by e.number desc limit 1);
end $$;

-- The items of a claim, with their data.
create function items_of(token uuid)
  returns table (id uuid, item int, lane smallint, number bigint, attempt int, is_job bool, accepted bigint, data text)
  language plpgsql stable rows 1000 as $$
#variable_conflict use_column
declare c record; f bigint;
begin
  for c in select s.lane, s.first, s.last, s.attempt from span s where s.batch = token and s.state in ('c', 'h')
      order by s.lane, s.first loop
    f := (select q.number from entry q where q.lane = c.lane and q.number <= c.first order by q.number desc limit 1);
    return query
      select e.id, (g - e.number + 1)::int, c.lane, g, c.attempt, coalesce(e.options like '%"job":true%', false), e.time,
        case when e.slice is null then e.data else e.parts[g - e.number + 1] end
      from (select p.*, case when p.slice is not null then string_to_array(substr(p.data, 2, length(p.data) - 2), ',') end as parts
          from entry p where p.lane = c.lane and p.number >= f and p.number < c.last order by p.number offset 0) e,
        generate_series(greatest(e.number, c.first), least(e.number + e.items, c.last) - 1) g;
  end loop;
end $$;

create function take_1(want int, most_bytes bigint, every bigint, lanes smallint[], me int, token uuid, run text)
  returns table (id uuid, item int, lane smallint, number bigint, attempt int, is_job bool, accepted bigint, data text)
  language plpgsql rows 1000 as $$
begin
  perform claim_1(want, most_bytes, every, lanes, me, token, run);
  return query select * from items_of(token);
end $$;

-- The items of a token whose claim is held.
create function held_1(token uuid)
  returns table (id uuid, item int, lane smallint, number bigint, attempt int, is_job bool, accepted bigint, data text)
  language plpgsql rows 1000 as $$
declare alive int[] := living();
begin
  -- All ranges of a claim have one holder.
  if exists (select from span s where s.batch = token and is_held(s.state, s.due, s.owner, alive)) then
    return query select * from items_of(token);
  end if;
end $$;

-- Acknowledges all that a token holds. 0: the claim is lost. `note`: a line of statistics.
create function ack_1(token uuid, note text) returns bigint language plpgsql as $$
declare n bigint;
begin
  with d as (delete from span s where s.batch = token and s.state in ('c', 'h') returning s.last - s.first as n)
    select coalesce(sum(d.n), 0) into n from d;
  if n > 0 and note <> '' then insert into settled (line) values (note); end if;
  return n;
end $$;

-- Settles pieces of a claim: d done, g given back, r retried after `wait`, b buried, w waits with no attempt
-- counted. `lines`: what the history says of a failed piece. `notes`: lines of statistics. Items in no piece stay
-- claimed. Returns how many items were settled; 0: the claim is lost.
create function settle_1(
  token uuid, lanes smallint[], firsts bigint[], lasts bigint[], words "char"[], wait bigint, lines text[], stderrs bytea[],
  notes text[])
  returns bigint language plpgsql as $$
declare p span; x record; at bigint; now bigint := micros(); n bigint := 0; story text;
begin
  for p in delete from span s where s.batch = token and s.state in ('c', 'h') returning * loop
    at := p.first;
    for x in select greatest(f, p.first) as f, least(z, p.last) as z, w, line, err
        from unnest(lanes, firsts, lasts, words, lines, stderrs) u(l, f, z, w, line, err)
        where l = p.lane and f < p.last and z > p.first order by f loop
      if at < x.f then
        insert into span values (p.lane, at, x.f, p.state, p.batch, p.attempt, p.due, p.owner, p.history);
      end if;
      story := p.history || case when x.line = '' then '' else p.attempt || ' ' || x.line || E'\n' end;
      if x.w = 'g' then
        insert into span values (p.lane, x.f, x.z, 'a', case when p.attempt > 1 then p.batch end, p.attempt - 1, 0, null, p.history);
      elsif x.w in ('r', 'w') then
        if wait > 0 then insert into later values (p.lane, x.f, x.z, 'a', p.batch, p.attempt - (x.w = 'w')::int, now + wait, null, story);
        else insert into span values (p.lane, x.f, x.z, 'a', p.batch, p.attempt - (x.w = 'w')::int, 0, null, story); end if;
      elsif x.w = 'b' then
        insert into dead (lane, number, died, history, stderr) select p.lane, g, now, story, x.err from generate_series(x.f, x.z - 1) g
          on conflict (lane, number) do update set died = excluded.died, history = excluded.history, stderr = excluded.stderr, dropped = false;
      end if;
      at := x.z; n := n + x.z - x.f;
    end loop;
    if at < p.last then
      insert into span values (p.lane, at, p.last, p.state, p.batch, p.attempt, p.due, p.owner, p.history);
    end if;
  end loop;
  if n > 0 then insert into settled (line) select u.note from unnest(notes) u(note); end if;
  return n;
end $$;

-- Makes the clock hold a claim until a time. 0: the claim is lost.
create function hold_1(token uuid, span_of_time bigint) returns bigint language plpgsql as $$
declare n bigint; at bigint := micros() + span_of_time;
begin
  with d as (update span s set state = 'h', due = at, owner = null
      where s.batch = token and s.state = 'c' returning s.last - s.first as n)
    select coalesce(sum(d.n), 0) into n from d;
  return n;
end $$;

-- Notes the run of the server. Locks end with it, but the processes that held them may live: they come back
-- and take the same numbers. Until they had the time to, reap_1 leaves the owners of the run before alone.
create function arrive_1() returns void language plpgsql as $$
declare m text; e epoch;
begin
  if pg_is_in_recovery() then return; end if;
  perform pg_advisory_xact_lock(lock_key(), 6);
  if not exists (select from run) then insert into run values (gen_random_uuid()); end if;
  m := extract(epoch from pg_postmaster_start_time())::text || ' ' || (select r.mark from run r);
  select * into e from epoch;
  if not found then
    insert into epoch values (m, 0, 0);
  elsif e.mark <> m then
    -- The crash may have undone the last numbers that were taken.
    perform setval('owner', nextval('owner') + 10000);
    update epoch set mark = m, since = micros(), owner = nextval('owner');
  end if;
end $$;

-- Takes the lock of an owner number again, which only a connection before that the server still believes in can
-- hold: its session is ended. Returns how many of these batches are still claimed.
create function return_1(me int, batches uuid[]) returns bigint language plpgsql as $$
begin
  for i in 1 .. 20 loop
    if pg_try_advisory_lock(lock_key(), me) then
      -- The process no longer holds these: a crash undid their acknowledgement.
      update span s set state = 'a', due = 0, owner = null, attempt = s.attempt - 1, batch = case when s.attempt > 1 then s.batch end
        where s.state = 'c' and s.owner = me and not s.batch = any (batches);
      return (select count(distinct s.batch) from span s where s.batch = any (batches) and s.state in ('c', 'h'));
    end if;
    -- A session that holds another number too is one that looks for dead owners.
    perform pg_terminate_backend(a.pid) from pg_stat_activity a
      where a.application_name like 'pipe%' and (select array_agg(l.owner) from owner_locks() l where l.pid = a.pid) = array[me];
    -- Its end is not reported.
    perform pg_sleep(0.05);
  end loop;
  return -1;
end $$;

-- Makes ready again what the dead hold: the lock of a living owner cannot be taken.
create function reap_1(me int) returns bigint language plpgsql as $$
declare o int; n bigint := 0; f format; at bigint := micros(); k bigint; e epoch;
begin
  select * into f from format;
  select * into e from epoch;
  for o in select distinct s.owner from span s where s.state = 'c' and s.owner <> me loop
    continue when o < e.owner and at < e.since + grace();
    continue when not pg_try_advisory_xact_lock(lock_key(), o);
    with d as (delete from span s where s.state = 'c' and s.owner = o and s.attempt > f.retries returning s.*)
      insert into dead (lane, number, died, history)
        select d.lane, g, at, d.history || format(E'%s - %s - - the process that held it died\n', d.attempt, at)
        from d, generate_series(d.first, d.last - 1) g
        on conflict (lane, number) do update set died = excluded.died, history = excluded.history, dropped = false;
    if found then perform pg_notify('pipe_settled_' || lock_key(), ''); end if;
    update span s set state = 'a', due = 0, owner = null,
        history = s.history || format(E'%s - %s - - the process that held it died\n', s.attempt, at)
      where s.state = 'c' and s.owner = o;
    get diagnostics k = row_count;
    n := n + k;
  end loop;
  return n;
end $$;

-- When a claim may succeed: the next due time, whether others hold something, when the pace allows it, whether
-- anything is ready, whether the queue is paused, and now. `run`: as for claim_1.
create function outlook_1(me int, every bigint, run text)
  returns table (due bigint, others bool, turn bigint, ready bool, pause_since bigint, pause_until bigint, pause_reason text, now bigint)
  language plpgsql stable as $$
begin
  return query select
    least((select min(s.due) from later s), (select min(s.due) from span s where s.state = 'h')),
    exists (select from span s where s.state = 'c' and s.owner <> me),
    (select p.started + outlook_1.every from pace p),
    exists (select from span s where s.state = 'a'
        and (run = '' or s.batch is null or substr(s.batch::text, 15, 9) <> run)) or exists (select from head h join entry e on e.lane = h.lane
      and e.number >= coalesce((select q.number from entry q where q.lane = h.lane and q.number <= h.number
        order by q.number desc limit 1), 0)
      where e.number + e.items > h.number and (e.not_before is null or e.not_before <= micros())),
    f.paused_since, f.paused_until, f.pause_reason, micros()
  from format f;
end $$;

-- The state of each item of an entry: ready, again, claimed, later, done, dead or dropped.
create function states_1(of uuid) returns table (item int, state text, attempt int, due bigint, batch uuid, history text)
  language plpgsql as $$
begin return query select * from states_of(of, living(), micros()); end $$;

create function states_of(of uuid, alive int[], at bigint)
  returns table (item int, state text, attempt int, due bigint, batch uuid, history text)
  language plpgsql stable as $$
declare l smallint := (select q.lane from entry q where q.id = of);
begin
  return query
    select (g - e.number + 1)::int,
      case when d.number is not null then case when d.dropped then 'dropped' else 'dead' end
        when s.state in ('c', 'h') and is_held(s.state, s.due, s.owner, alive) then 'claimed'
        when s.is_later and s.due > at then 'later'
        when s.state is not null then case when s.attempt > 0 then 'again' else 'ready' end
        when g >= h.number then case when e.not_before > at then 'later' else 'ready' end else 'done' end,
      s.attempt, coalesce(s.due, e.not_before), s.batch, coalesce(d.history, s.history, '')
    from entry e join head h on h.lane = e.lane, generate_series(e.number, e.number + e.items - 1) g
      left join dead d on d.lane = l and d.number = g
      left join lateral (
        select c.* from (
          (select p.*, false as is_later from span p where p.lane = l and p.first <= g order by p.first desc limit 1)
          union all
          (select p.*, true from later p where p.lane = l and p.first <= g order by p.first desc limit 1)
        ) c where c.last > g limit 1) s on true
    where e.id = of order by 1;
end $$;

-- Items of each lane by state.
create function census_1() returns table (lane smallint, entries bigint, items bigint, ready bigint, claimed bigint, later bigint, dead bigint)
  language plpgsql as $$
declare alive int[] := living(); at bigint := micros();
begin
  return query
    select h.lane, coalesce(x.nth, 0), greatest(coalesce(x.n, 0), h.number),
      greatest(0, coalesce(x.n, 0) - h.number) - d.n
        + coalesce((select sum(s.last - s.first)::bigint from span s where s.lane = h.lane and not is_held(s.state, s.due, s.owner, alive)), 0)
        + coalesce((select sum(s.last - s.first)::bigint from later s where s.lane = h.lane and s.due <= at), 0),
      coalesce((select sum(s.last - s.first)::bigint from span s where s.lane = h.lane and is_held(s.state, s.due, s.owner, alive)), 0),
      coalesce((select sum(s.last - s.first)::bigint from later s where s.lane = h.lane and s.due > at), 0) + d.n,
      (select count(*) from dead d where d.lane = h.lane and not d.dropped)
    from head h left join lateral
        (select e.number + e.items as n, e.nth from entry e where e.lane = h.lane order by e.number desc limit 1) x on true,
      -- Delayed entries that no consumer has reached.
      lateral (select coalesce(sum(e.items), 0)::bigint as n from entry e
        where e.lane = h.lane and e.number >= h.number and e.not_before > at) d
    order by 1;
end $$;

-- Makes the dead items of an entry ready, or drops them. Returns how many. An entry that was cancelled
-- during its delay, in attempt 0, still waits until the delay is over.
create function revive_1(of uuid) returns bigint language plpgsql as $$
declare n bigint; p later;
begin
  n := 0;
  for p in with e as (select * from entry q where q.id = of),
      d as (delete from dead using e where dead.lane = e.lane and dead.number >= e.number and dead.number < e.number + e.items
        and not dead.dropped returning dead.*, e.not_before)
      select d.lane, d.number, d.number + 1, 'a', null, 0,
        case when d.not_before > micros() and d.history ~ '(^|\n)0 [^\n]*\n$' then d.not_before else 0 end, null, d.history from d loop
    perform wait_again(p);
    n := n + 1;
  end loop;
  return n;
end $$;
create function drop_1(of uuid) returns bigint language plpgsql as $$
declare n bigint;
begin
  with e as (select * from entry q where q.id = of),
    d as (update dead set dropped = true from e where dead.lane = e.lane and dead.number >= e.number
      and dead.number < e.number + e.items and not dead.dropped returning 1)
    select count(*) into n from d;
  return n;
end $$;

create function count_1(of text, amount bigint) returns void language plpgsql as $$
begin
  insert into counter values (of, amount) on conflict (name) do update set value = counter.value + excluded.value;
end $$;

-- Entries from an item on, in order, with the states of their items: at most `most` entries. What lies at or
-- behind the head is not looked up item by item.
create function list_1(l smallint, start bigint, most int)
  returns table (id uuid, number bigint, items int, created bigint, slice int, states text[], dues bigint[], attempts int[], data text)
  language plpgsql rows 1000 as $$
#variable_conflict use_column
declare h bigint := (select q.number from head q where q.lane = l); now bigint := micros(); alive int[] := living();
begin
  return query
    select e.id, e.number, e.items, coalesce(e.created, e.time), e.slice,
      coalesce(x.states, array_fill(case when e.not_before > now then 'later' else 'ready' end, array[e.items])),
      coalesce(x.dues, array_fill(coalesce(e.not_before, 0), array[e.items])), x.attempts, e.data
    from entry e left join lateral (
        select array_agg(case when s.state = 'again' then 'ready' else s.state end order by s.item) as states,
          array_agg(coalesce(s.due, 0) order by s.item) as dues, array_agg(coalesce(s.attempt, 0) order by s.item) as attempts
        from states_of(e.id, alive, now) s) x on e.number < h
      where e.lane = l and e.number + e.items > start and e.number >= coalesce(
        (select q.number from entry q where q.lane = l and q.number <= start order by q.number desc limit 1), start)
      order by e.number limit most;
end $$;

-- The first item of a lane that is not done.
create function first_undone_1(l smallint) returns bigint language plpgsql stable as $$
begin
  return least((select q.number from head q where q.lane = l), (select min(s.first) from span s where s.lane = l),
    (select min(s.first) from later s where s.lane = l),
    (select min(d.number) from dead d where d.lane = l and not d.dropped));
end $$;

-- How many ready items come before an item.
create function ahead_1(l smallint, n bigint) returns bigint language plpgsql stable as $$
begin
  return coalesce((select sum(case when s.lane = l then least(s.last, n) else s.last end - s.first)::bigint
      from span s where s.state = 'a' and (s.lane, s.first) < (l, n)), 0)
    + coalesce((select sum(greatest(0, x.n - h.number))::bigint from head h, lateral (
        select e.number + e.items as n from entry e where e.lane = h.lane order by e.number desc limit 1) x where h.lane < l), 0)
    + greatest(0, n - (select h.number from head h where h.lane = l));
end $$;

-- The session that holds a claim, as it names itself; null: the clock, or none.
create function holder_1(of uuid) returns text language plpgsql as $$
begin
  return (select substr(a.application_name, 7) || coalesce(' (' || host(a.client_addr) || ')', '')
    from span s join owner_locks() l on l.owner = s.owner join pg_stat_activity a on a.pid = l.pid
    where s.batch = of and s.state = 'c' limit 1);
end $$;

-- The held claims, oldest first.
create function claims_1() returns table (batch uuid, items bigint, attempt int, lane smallint, until bigint, holder text)
  language plpgsql as $$
declare alive int[] := living();
begin
  return query
    select s.batch, sum(s.last - s.first)::bigint, max(s.attempt), min(s.lane)::smallint, max(s.due), holder_1(s.batch)
      from span s where s.state in ('c', 'h') and is_held(s.state, s.due, s.owner, alive) group by s.batch order by s.batch;
end $$;

-- Removes entries from the front of each lane that are older than the queue retains and of which nothing is left,
-- with what was kept of them, at most `most`. Returns how many, and their bytes.
create function prune_1(most int) returns table (entries bigint, bytes bigint) language plpgsql as $$
declare l smallint; upto bigint; old bigint; n bigint; b bigint; z bigint;
begin
  entries := 0; bytes := 0;
  if not pg_try_advisory_xact_lock(lock_key(), 5) then return next; return; end if;
  old := micros() - (select f.retain from format f);
  for l in select h.lane from head h order by 1 loop
    upto := first_undone_1(l);
    with d as (delete from entry e where (e.lane, e.number) in (
        select q.lane, q.number from entry q where q.lane = l and q.number < upto and q.number + q.items <= upto and q.time < old
          -- The last entry gives the next its number.
          and q.number < (select max(x.number) from entry x where x.lane = l)
          order by q.number limit most - entries) returning octet_length(e.data) as size, e.number + e.items as z)
      select count(*), coalesce(sum(d.size), 0), max(d.z) into n, b, z from d;
    delete from dead d where d.lane = l and d.number < z;
    delete from output o where o.lane = l and o.last <= z;
    entries := entries + n; bytes := bytes + b;
  end loop;
  return next;
end $$;

-- Changes of waiting items that a person names. Each is one transaction under the lock of claiming.

-- Moves the head of a lane to `z`. The items that no consumer has reached become ready again, or wait in later.
create function pass(l smallint, z bigint, at bigint) returns void language plpgsql as $$
declare h bigint := (select q.number from head q where q.lane = l); d record;
begin
  z := least(z, (select e.number + e.items from entry e where e.lane = l order by e.number desc limit 1));
  if z is null or z <= h then return; end if;
  for d in select p.number, p.items, p.not_before from entry p where p.lane = l and p.number >= h and p.number < z
      and p.not_before > at order by p.number loop
    if h < d.number then insert into span values (l, h, d.number, 'a', null, 0, 0, null, ''); end if;
    insert into later values (l, d.number, d.number + d.items, 'a', null, 0, d.not_before, null, '');
    h := d.number + d.items;
  end loop;
  if h < z then
    insert into span values (l, h, z, 'a', null, 0, 0, null, '');
    h := z;
  end if;
  update head q set number = h where q.lane = l;
end $$;

-- Takes the waiting items of a range out of span and later, and returns them.
create function carve(l smallint, f bigint, z bigint, at bigint) returns setof later language plpgsql as $$
declare p later; r later;
begin
  perform pass(l, z, at);
  for p in with
      a as (delete from span s where s.lane = l and s.state = 'a' and s.first < z and s.last > f
        and s.first >= coalesce((select max(x.first) from span x where x.lane = l and x.first <= f), f) returning s.*),
      b as (delete from later s where s.lane = l and s.first < z and s.last > f
        and s.first >= coalesce((select max(x.first) from later x where x.lane = l and x.first <= f), f) returning s.*)
      select * from a union all select * from b loop
    -- The parts outside of the range stay.
    if p.first < f then
      r := p; r.last := f;
      perform wait_again(r);
      p.first := f;
    end if;
    if p.last > z then
      r := p; r.first := z;
      perform wait_again(r);
      p.last := z;
    end if;
    return next p;
  end loop;
end $$;

create function wait_again(p later) returns void language plpgsql as $$
begin
  if p.due > 0 then insert into later select p.*; else insert into span select p.*; end if;
end $$;

-- Takes the waiting items of ranges, also those that dead owners held or whose time has come.
create function take_waiting(lanes smallint[], firsts bigint[], lasts bigint[]) returns setof later language plpgsql as $$
declare r record; at bigint;
begin
  perform pg_advisory_xact_lock(lock_key(), 2);
  at := micros();
  perform settle_due(at, (select f.retries from format f)), reap_1(0);
  for r in select * from unnest(lanes, firsts, lasts) u(l, f, z) order by l, f loop
    return query select * from carve(r.l, r.f, r.z, at);
  end loop;
end $$;

-- Makes dead letters of waiting items; dropped ones are not listed. `line`: of the history, after the attempt.
create function cancel_1(lanes smallint[], firsts bigint[], lasts bigint[], line text, is_dropped bool)
  returns bigint language plpgsql as $$
declare n bigint;
begin
  insert into dead (lane, number, dropped, died, history)
    select p.lane, g, is_dropped, micros(), p.history || p.attempt || ' ' || line || E'\n'
    from take_waiting(lanes, firsts, lasts) p, generate_series(p.first, p.last - 1) g
    on conflict (lane, number) do update set dropped = excluded.dropped, died = excluded.died, history = excluded.history;
  get diagnostics n = row_count;
  return n;
end $$;

-- Makes waiting items ready at `due`, or `wait` from now; attempts stay as they are.
create function reschedule_1(lanes smallint[], firsts bigint[], lasts bigint[], due bigint, wait bigint)
  returns bigint language plpgsql as $$
declare p later; n bigint := 0; at bigint := micros();
begin
  for p in select * from take_waiting(lanes, firsts, lasts) loop
    p.due := coalesce(due, at + wait);
    if p.due <= at then p.due := 0; end if;
    -- As in a directory, items that had failed no longer come back with the batch that they failed in.
    if p.attempt > 0 then p.batch := '00000000-0000-0000-0000-000000000001'; end if;
    perform wait_again(p);
    n := n + p.last - p.first;
  end loop;
  return n;
end $$;

-- Moves entries of which all items wait, never tried, to another lane. Returns those that moved.
create function move_1(of uuid[], l smallint) returns setof uuid language plpgsql as $$
declare e entry; at bigint; due bigint; x record;
begin
  perform pg_advisory_xact_lock(lock_key(), 1);
  perform pg_advisory_xact_lock(lock_key(), 2);
  at := micros();
  perform settle_due(at, (select f.retries from format f)), reap_1(0);
  for e in select q.* from unnest(of) with ordinality u(i, o) join entry q on q.id = u.i where q.lane <> l order by u.o loop
    -- An item that is claimed has been tried.
    continue when exists (select from states_of(e.id, '{}', at) s where s.state not in ('ready', 'later')
      or coalesce(s.attempt, 0) > 0);
    due := (select max(c.due) from carve(e.lane, e.number, e.number + e.items, at) c);
    delete from entry q where q.lane = e.lane and q.number = e.number;
    select * into x from lane_end(l);
    insert into entry values (l, x.base, e.items, e.id, greatest(at, x.t + 1), x.sum + octet_length(e.data), x.n + 1,
      coalesce(e.created, e.time), e.slice, nullif(due, 0), e.key, e.options, e.data);
    return next e.id;
  end loop;
end $$;

-- The outcome of an attempt, kept for the items of a claim.
create function keep_1(lanes smallint[], firsts bigint[], lasts bigint[], records bytea[]) returns void language plpgsql as $$
begin
  insert into output (lane, first, last, record) select * from unnest(lanes, firsts, lasts, records);
end $$;

-- The outputs kept for the items of an entry, in order of time.
create function outputs_1(of uuid) returns table (lane smallint, number bigint, record bytea) language plpgsql stable as $$
begin
  return query select e.lane, e.number, o.record from entry e join output o on o.lane = e.lane
    and o.first < e.number + e.items and o.first > e.number - 65536 and o.last > e.number where e.id = of order by o.place;
end $$;
