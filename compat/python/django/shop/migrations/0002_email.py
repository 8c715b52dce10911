from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_create")]
    operations = [migrations.AddField("Account", "email", models.TextField(null=True))]
