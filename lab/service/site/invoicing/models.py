"""The tables of lab/postgres/schema.sql, which makes them."""

from django.db import models


class Plan(models.Model):
    name = models.TextField()
    monthly_cents = models.IntegerField()

    class Meta:
        managed = False
        db_table = "plans"


class Tenant(models.Model):
    """The tenant directory: shared, each request looks its certificate up here."""

    name = models.TextField()
    cert_cn = models.TextField()
    plan = models.ForeignKey(Plan, models.DO_NOTHING)

    class Meta:
        managed = False
        db_table = "tenants"


class User(models.Model):
    username = models.TextField()

    class Meta:
        managed = False
        db_table = "users"


class UserProfile(models.Model):
    """Which organisation a user belongs to; shared, because users move between them."""

    user = models.OneToOneField(User, models.DO_NOTHING, related_name="profile")
    organisation = models.ForeignKey(Tenant, models.DO_NOTHING)

    class Meta:
        managed = False
        db_table = "user_profiles"


class Account(models.Model):
    tenant_id = models.TextField()
    contact = models.TextField()

    class Meta:
        managed = False
        db_table = "accounts"


class Invoice(models.Model):
    tenant_id = models.TextField()
    number = models.TextField()
    amount = models.IntegerField()

    class Meta:
        managed = False
        db_table = "invoices"


class LedgerEntry(models.Model):
    """Row level security keeps its rows apart, by the setting app.tenant_id."""

    tenant_id = models.TextField()
    booking = models.TextField()
    amount = models.IntegerField()

    class Meta:
        managed = False
        db_table = "ledger_entries"
