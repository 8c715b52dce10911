from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_email")]
    operations = [migrations.AddIndex("Account", models.Index(fields=["name"], name="account_name"))]
