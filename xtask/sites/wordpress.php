<?php
// Installs a WordPress with the accounts that tests use, and prints their application passwords.
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = '127.0.0.1';
$database = new mysqli('localhost', 'wp', '', '', 0, getenv('RACCORD_SOCKET'));
$database->query('CREATE DATABASE wordpress CHARACTER SET utf8mb4');
require getenv('RACCORD_ROOT') . '/usr/share/wordpress/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
function wp_mail() { return true; }
wp_install('Lieu', 'admin', 'admin@example.org', true, '', wp_generate_password());
wp_insert_term('Agenda & co', 'category');
$passwords = [];
foreach (['raccord' => 'author', 'anna' => 'editor', 'chloe' => 'contributor'] as $name => $role) {
    $id = wp_insert_user([
        'user_login' => $name, 'user_pass' => wp_generate_password(),
        'user_email' => "$name@example.org", 'role' => $role,
    ]);
    $passwords[$name] = WP_Application_Passwords::create_new_application_password($id, ['name' => 'tests'])[0];
}
echo json_encode($passwords), "\n";
