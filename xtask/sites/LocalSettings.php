<?php
// What every wiki of the tests has in common; where its database is, the test says.
if (!defined('MEDIAWIKI')) {
    exit;
}
$wgSitename = 'Lieu';
$wgScriptPath = '';
$wgServer = 'http://' . ($_SERVER['HTTP_HOST'] ?? '127.0.0.1');
$wgDBtype = 'sqlite';
$wgDBname = 'wiki';
$wgSQLiteDataDir = getenv('RACCORD_WIKI');
$wgObjectCaches[CACHE_DB] = ['class' => SqlBagOStuff::class, 'loggroup' => 'SQLBagOStuff', 'server' => [
    'type' => 'sqlite', 'dbname' => 'wikicache', 'tablePrefix' => '', 'variables' => ['synchronous' => 'NORMAL'],
    'dbDirectory' => $wgSQLiteDataDir, 'trxMode' => 'IMMEDIATE', 'flags' => 0,
]];
$wgLocalisationCacheConf['storeServer'] = [
    'type' => 'sqlite', 'dbname' => 'wiki_l10n_cache', 'tablePrefix' => '', 'variables' => ['synchronous' => 'NORMAL'],
    'dbDirectory' => $wgSQLiteDataDir, 'trxMode' => 'IMMEDIATE', 'flags' => 0,
];
$wgJobTypeConf['default'] = ['class' => 'JobQueueDB', 'claimTTL' => 3600, 'server' => [
    'type' => 'sqlite', 'dbname' => 'wiki_jobqueue', 'tablePrefix' => '', 'variables' => ['synchronous' => 'NORMAL'],
    'dbDirectory' => $wgSQLiteDataDir, 'trxMode' => 'IMMEDIATE', 'flags' => 0,
]];
$wgMainCacheType = CACHE_NONE;
$wgLanguageCode = 'fr';
$wgSecretKey = str_repeat('a', 64);
$wgUpgradeKey = str_repeat('b', 16);
$wgEnableUploads = false;
$wgEnableEmail = false;
// Tests edit faster than people.
$wgRateLimits = [];
wfLoadSkin('Vector');
$wgDefaultSkin = 'vector';
