class AddEmail < ActiveRecord::Migration[6.1]
  def change
    add_column :account, :email, :text
  end
end
