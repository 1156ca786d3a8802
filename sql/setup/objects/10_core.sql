-- What analysts read.  Views belong to steward_owner, so nobody needs a grant on a table; the tables' policies still ask
-- for the calling role's profiles.

CREATE OR REPLACE VIEW steward.health AS
SELECT h.check_name, h.status, h.detail, h.remedy FROM steward.health_checks() h;
COMMENT ON VIEW steward.health IS 'whether the installation is as it has to be; critical ones come with the statement that mends them';
