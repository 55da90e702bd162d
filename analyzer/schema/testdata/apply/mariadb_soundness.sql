-- Keys on spatial columns without a length.
CREATE TABLE pt (d POINT, UNIQUE KEY u (d));
CREATE TABLE pt2 (d POINT, KEY k (d));
CREATE TABLE pt3 (d POINT, e INT);
ALTER TABLE pt3 ADD UNIQUE KEY u (d, e);
CREATE TABLE pt4 (g GEOMETRY, UNIQUE KEY u (g));
CREATE TABLE pt5 (g GEOMETRY, KEY k (g));
CREATE TABLE pt6 (g POLYGON, e INT, UNIQUE KEY k (e, g));
CREATE TABLE pt7 (d POINT, KEY k (d(3)));
