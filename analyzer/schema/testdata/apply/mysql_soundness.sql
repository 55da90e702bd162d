-- A key over an expression that names a number not given yet.
CREATE TABLE auto1 (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, KEY k ((id + 1)));
