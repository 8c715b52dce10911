class CreateAccount < ActiveRecord::Migration[6.1]
  def change
    create_table(:account) { |table| table.text :name }
  end
end
