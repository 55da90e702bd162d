CREATE TABLE `kinds` (
  `id` int NOT NULL AUTO_INCREMENT,
  `tiny` tinyint(1) DEFAULT NULL,
  `small` smallint unsigned NOT NULL DEFAULT '5',
  `big` bigint DEFAULT '-7',
  `medium` mediumint unsigned zerofill DEFAULT NULL,
  `dec1` decimal(10,0) DEFAULT NULL,
  `dec2` decimal(8,3) unsigned DEFAULT '1.500',
  `dbl` double DEFAULT NULL,
  `dbl2` double(8,2) DEFAULT NULL,
  `flt` float DEFAULT NULL,
  `name` varchar(50) NOT NULL DEFAULT 'it''s',
  `code` char(1) DEFAULT NULL,
  `body` text,
  `lng` longtext,
  `raw` blob,
  `bin` binary(16) DEFAULT NULL,
  `vbin` varbinary(20) DEFAULT NULL,
  `created` datetime DEFAULT CURRENT_TIMESTAMP,
  `changed` timestamp NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  `fine` datetime(6) DEFAULT NULL,
  `day` date DEFAULT NULL,
  `clock` time DEFAULT NULL,
  `yr` year DEFAULT NULL,
  `state` enum('on','off','it''s') DEFAULT 'on',
  `flags` set('a','b') DEFAULT NULL,
  `doc` json DEFAULT NULL,
  `bits` bit(3) DEFAULT NULL,
  `noted` int DEFAULT NULL COMMENT 'say ''hi''',
  PRIMARY KEY (`id`),
  UNIQUE KEY `name` (`name`),
  KEY `ix_small_big` (`small`,`big`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMMENT='all kinds'

CREATE TABLE `parent` (
  `a` int NOT NULL,
  `b` int NOT NULL,
  PRIMARY KEY (`a`,`b`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci

CREATE TABLE `child` (
  `id` bigint NOT NULL,
  `pa` int DEFAULT NULL,
  `pb` int DEFAULT NULL,
  `Mixed` varchar(10) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `fk_parent` (`pa`,`pb`),
  CONSTRAINT `fk_parent` FOREIGN KEY (`pa`, `pb`) REFERENCES `parent` (`a`, `b`) ON DELETE CASCADE ON UPDATE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
