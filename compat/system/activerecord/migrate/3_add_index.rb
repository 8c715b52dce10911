class AddIndex < ActiveRecord::Migration[6.1]
  def change
    add_index :account, :name, name: "account_name"
  end
end
