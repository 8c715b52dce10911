require "active_record"
require "logger"

ActiveRecord::Base.establish_connection(ENV.fetch("DATABASE_URL"))
ActiveRecord::MigrationContext.new("migrate", ActiveRecord::SchemaMigration).migrate
